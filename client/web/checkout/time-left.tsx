import { isoDuration, shortClock } from '../format/duration.ts';
import { useTimeLeft } from '../live/use-time-left.ts';

/** Below this, the clock turns to the colour of alarm. */
const soonMs = 30_000;

/** A small countdown on the server's clock: of a turn, a reservation, a payment. */
export function TimeLeft({ label, untilMs }: { label: string; untilMs: number }) {
  const leftMs = useTimeLeft(untilMs);
  return (
    <p className={`time-left ${leftMs < soonMs ? 'time-left-soon' : ''}`} role="timer">
      <span>{label}</span>
      <time className="figures" dateTime={isoDuration(leftMs)}>
        {shortClock(leftMs)}
      </time>
    </p>
  );
}
