import type { Drop } from '../engine/types.ts';
import { formatMoment } from '../format/duration.ts';
import { formatMoney } from '../format/money.ts';
import { isOver } from '../live/choose-drop.ts';
import { useDropFeed } from '../live/use-drop-feed.ts';
import { texts } from '../texts/texts.ts';
import { StateBadge } from './state-badge.tsx';

/** A drop beside the one in front, small. Choosing it brings it to the front. */
export function DropCard({ drop, onChoose }: { drop: Drop; onChoose: () => void }) {
  // What is over does not move any more.
  const { watch } = useDropFeed(isOver(drop.state) ? null : drop.dropId);
  const state = watch?.state ?? drop.state;
  const prices = drop.items.map(item => item.price).toSorted((one, other) => one.amount - other.amount);
  const [lowest] = prices;
  return (
    <li className="drop-card">
      <div className="drop-card-head">
        <StateBadge state={state} />
        <span className="hint figures">{formatMoment(drop.opensAtMs)}</span>
      </div>
      <h3>{drop.title}</h3>
      {lowest && (
        <p className="hint figures">
          {prices.length > 1 ? texts.products.from(formatMoney(lowest)) : formatMoney(lowest)}
        </p>
      )}
      <button
        type="button"
        className="button button-quiet"
        aria-label={texts.drops.showNamed(drop.title)}
        onClick={onChoose}
      >
        {texts.drops.show}
      </button>
    </li>
  );
}
