import { LiveCharts } from '../chart/live-charts.tsx';
import type { Drop, DropWatch } from '../engine/types.ts';
import { formatMoment } from '../format/duration.ts';
import { formatCount } from '../format/number.ts';
import type { LiveDrop } from '../live/drop-feeds.ts';
import { SkuPicture } from '../products/sku-picture.tsx';
import { texts } from '../texts/texts.ts';
import { Countdown } from './countdown.tsx';
import { StateBadge } from './state-badge.tsx';

/** The drop in front: what it is, how long until its next turn, and how queue and stock move. */
export function DropBoard({ drop, live }: { drop: Drop; live: LiveDrop }) {
  const { watch, history } = live;
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
      <LiveCharts history={history} queueLine={isBefore ? 'arrived' : 'called'} />
    </section>
  );
}

function Headline({ drop, state }: { drop: Drop; state: Drop['state'] }) {
  switch (state) {
    case 'scheduled':
      return <Countdown label={texts.drops.lobbyOpensIn} untilMs={drop.lobbyOpensAtMs} />;
    case 'lobby':
      return (
        <>
          <Countdown label={texts.drops.opensIn} untilMs={drop.opensAtMs} />
          <p className="drop-board-when">{texts.drops.opensAt(formatMoment(drop.opensAtMs))}</p>
        </>
      );
    case 'open':
      return drop.closesAtMs === undefined ? (
        <p className="drop-board-words drop-board-go">{texts.drops.isOpen}</p>
      ) : (
        <Countdown label={texts.drops.closesIn} untilMs={drop.closesAtMs} />
      );
    case 'paused':
      return <p className="drop-board-words">{texts.drops.isPaused}</p>;
    case 'sold-out':
      return <p className="drop-board-words">{texts.drops.isSoldOut}</p>;
    case 'closed':
      return <p className="drop-board-words">{texts.drops.isClosed}</p>;
  }
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
