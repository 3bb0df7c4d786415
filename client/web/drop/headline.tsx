import type { Drop } from '../engine/types.ts';
import { formatMoment } from '../format/duration.ts';
import { texts } from '../texts/texts.ts';
import { Countdown } from './countdown.tsx';

/** What a drop is up to: how long until its next turn, or how it stands. */
export function Headline({ drop, state }: { drop: Drop; state: Drop['state'] }) {
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
