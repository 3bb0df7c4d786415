import { Link } from 'wouter';
import { useDrop } from '../../react/index.ts';
import type { Drop } from '../engine/types.ts';
import { formatMoment, isoDuration, shortClock } from '../format/duration.ts';
import { formatMoney } from '../format/money.ts';
import { isOver } from '../live/choose-drop.ts';
import { useTimeLeft } from '../live/use-time-left.ts';
import { withOpening } from '../live/with-opening.ts';
import { SkuPicture } from '../products/sku-picture.tsx';
import { texts } from '../texts/texts.ts';
import { StateBadge } from './state-badge.tsx';

/** A drop in a list: what it sells, how it stands, and how long until it opens. */
export function DropCard({ drop }: { drop: Drop }) {
  // What is over does not move any more.
  const { drop: watch } = useDrop(isOver(drop.state) ? null : drop.dropId);
  const state = watch?.state ?? drop.state;
  const prices = drop.items.map(item => item.price).toSorted((one, other) => one.amount - other.amount);
  const [lowest] = prices;
  const [first] = drop.items;
  const total = drop.items.reduce((sum, item) => sum + item.total, 0);
  return (
    <li className="drop-card">
      {first && <SkuPicture sku={first.sku} title={first.title} />}
      <div className="drop-card-facts">
        <StateBadge state={state} />
        <h3>
          <Link href={`/drops/${drop.dropId}`} className="card-link">
            {drop.title}
          </Link>
        </h3>
        <p className="hint figures">
          {lowest && (prices.length > 1 ? texts.products.from(formatMoney(lowest)) : formatMoney(lowest))}
          {' · '}
          {texts.drops.units(total)}
        </p>
        <When drop={withOpening(drop, watch)} state={state} />
      </div>
    </li>
  );
}

function When({ drop, state }: { drop: Drop; state: Drop['state'] }) {
  if (state === 'lobby') return <SmallCountdown label={texts.drops.opensIn} untilMs={drop.opensAtMs} />;
  if (state === 'scheduled') {
    return <SmallCountdown label={texts.drops.lobbyOpensIn} untilMs={drop.lobbyOpensAtMs} />;
  }
  return <p className="hint figures">{formatMoment(drop.opensAtMs)}</p>;
}

function SmallCountdown({ label, untilMs }: { label: string; untilMs: number }) {
  const leftMs = useTimeLeft(untilMs);
  return (
    <p className="small-countdown figures">
      {label} <time dateTime={isoDuration(leftMs)}>{shortClock(leftMs)}</time>
    </p>
  );
}
