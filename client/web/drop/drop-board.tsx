import { LiveCharts } from '../chart/live-charts.tsx';
import type { Drop, DropWatch } from '../engine/types.ts';
import { formatCount } from '../format/number.ts';
import { useHistory } from '../live/use-history.ts';
import { SkuPicture } from '../products/sku-picture.tsx';
import { texts } from '../texts/texts.ts';
import { Headline } from './headline.tsx';
import { StateBadge } from './state-badge.tsx';

/** The drop in front: what it is, how long until its next turn, and how queue and stock move. */
export function DropBoard({ drop, watch }: { drop: Drop; watch: DropWatch | null }) {
  const history = useHistory(watch);
  const state = watch?.state ?? drop.state;
  const [first] = drop.items;
  const isBefore = state === 'scheduled' || state === 'lobby';
  return (
    <section className="board drop-board" aria-labelledby="drop-board-title">
      <div className="drop-board-head">
        <StateBadge state={state} />
        <p>{texts.drops.perBuyer(drop.perBuyerMax)}</p>
      </div>
      <div className="drop-board-front">
        <div>
          <h1 id="drop-board-title">{drop.title}</h1>
          <Headline drop={drop} state={state} />
        </div>
        {first && <SkuPicture sku={first.sku} title={first.title} />}
      </div>
      {watch?.message && (
        <p className="drop-board-message" role="status">
          <strong>{texts.drops.messageFrom}</strong> {watch.message}
        </p>
      )}
      {!isBefore && <Figures watch={watch} />}
      <LiveCharts
        history={history}
        queueLine={isBefore ? 'arrived' : 'called'}
        isComing={drop.state !== 'closed'}
      />
    </section>
  );
}

function Figures({ watch }: { watch: DropWatch | null }) {
  const sum = (pick: (lane: DropWatch['lanes'][number]) => number) =>
    watch ? formatCount(watch.lanes.reduce((total, lane) => total + pick(lane), 0)) : '–';
  const figures = [
    { label: texts.drops.arrived, value: sum(lane => lane.arrived) },
    { label: texts.drops.perMinute, value: sum(lane => lane.callsPerMin) },
  ];
  return (
    <dl className="drop-board-figures figures">
      {figures.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
