import { useEffect, useState } from 'react';
import { DropBoard } from '../drop/drop-board.tsx';
import { DropCard } from '../drop/drop-card.tsx';
import { StockList } from '../drop/stock-list.tsx';
import { useEngine } from '../engine/engine-context.ts';
import type { Drop } from '../engine/types.ts';
import { chooseDrop, isOver, type Chosen } from '../live/choose-drop.ts';
import { useDropFeed } from '../live/use-drop-feed.ts';
import { useDrops } from '../live/use-drops.ts';
import { Catalog } from '../products/catalog.tsx';
import { QueuePanel } from '../queue/queue-panel.tsx';
import { texts } from '../texts/texts.ts';
import { NoDrops } from './no-drops.tsx';

/** The other drops that are over, shown at most: the shop's past is not what one comes for. */
const pastCount = 3;

export function Home() {
  const drops = useDrops();
  const [chosen, setChosen] = useState<Chosen | null>(null);
  const next = drops === null ? chosen : chooseDrop(drops, chosen);
  if (next !== chosen && next?.dropId !== chosen?.dropId) setChosen(next);

  const front = drops?.find(drop => drop.dropId === next?.dropId);
  const others = drops?.filter(drop => drop !== front) ?? [];
  const past = others.filter(drop => isOver(drop.state)).slice(0, pastCount);
  const shown = [...others.filter(drop => !isOver(drop.state)), ...past];
  return (
    <main id="content" tabIndex={-1}>
      {front ? <FrontDrop key={front.dropId} drop={front} /> : <NoDrops isLoading={drops === null} />}
      {shown.length > 0 && (
        <section aria-labelledby="other-drops">
          <h2 id="other-drops">{texts.drops.others}</h2>
          <ul className="drop-cards">
            {shown.map(drop => (
              <DropCard
                key={drop.dropId}
                drop={drop}
                onChoose={() => {
                  setChosen({ dropId: drop.dropId, by: 'visitor' });
                  window.scrollTo({ top: 0, behavior: 'smooth' });
                }}
              />
            ))}
          </ul>
        </section>
      )}
      <Catalog />
    </main>
  );
}

function FrontDrop({ drop }: { drop: Drop }) {
  // A closed drop's live figures may be gone from the engine already.
  const live = useDropFeed(drop.state === 'closed' ? null : drop.dropId);
  const { syncClock } = useEngine();
  useEffect(() => {
    // Without an answer the drop's own ticks still tell the time, to within their way here.
    syncClock(drop.dropId).catch(() => undefined);
  }, [syncClock, drop.dropId]);
  return (
    <div className="front-drop">
      <DropBoard drop={drop} live={live} />
      <div className="front-own">
        <QueuePanel drop={drop} watch={live.watch} />
      </div>
      <StockList drop={drop} watch={live.watch} />
    </div>
  );
}
