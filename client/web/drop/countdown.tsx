import { clockFace, isoDuration } from '../format/duration.ts';
import { useTimeLeft } from '../live/use-time-left.ts';
import { texts } from '../texts/texts.ts';

/** The big board clock. It runs on the server's time, so that it ends for everybody at the same instant. */
export function Countdown({ label, untilMs }: { label: string; untilMs: number }) {
  const leftMs = useTimeLeft(untilMs);
  const { days, hours, minutes, seconds } = clockFace(leftMs);
  return (
    <div className="countdown" role="timer" aria-label={label}>
      <p className="countdown-label">{leftMs <= 0 ? texts.drops.opening : label}</p>
      <time className="countdown-face" dateTime={isoDuration(leftMs)}>
        {days > 0 && <span className="countdown-days">{texts.drops.days(days)}</span>}
        <span className="countdown-tiles">
          <Tiles digits={hours} />
          <span className="countdown-colon">:</span>
          <Tiles digits={minutes} />
          <span className="countdown-colon">:</span>
          <Tiles digits={seconds} />
        </span>
      </time>
    </div>
  );
}

function Tiles({ digits }: { digits: string }) {
  return (
    <span className="countdown-pair">
      {Array.from(digits, (digit, place) => (
        <span className="countdown-tile" key={`${place}`}>
          {digit}
        </span>
      ))}
    </span>
  );
}
