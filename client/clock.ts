// The server's clock, as well as it can be known from here, so that a countdown ends for everybody at one instant
// whatever their own clocks say. Two kinds of evidence:
//
// - A round trip: the server's time was read somewhere between asking and hearing; the middle is right to within half
//   of the trip, so the sample with the smallest trip counts (as in NTP, RFC 5905, section 10).
// - A message that the server sent by itself: it was older than zero when it came, so the server's clock cannot be
//   behind it. That is a floor under every estimate.
//
// All is measured against the monotonic clock: a buyer who sets their clock in between changes nothing.

export interface ServerClock {
  /** The server's time now, in epoch milliseconds. Before the first sample: this machine's own. */
  now(): number;
  /** How far off `now` may be, half of the best round trip; null before the first one. */
  uncertaintyMs(): number | null;
  /** Asks several times and keeps the best answer. */
  sync(ask: () => Promise<number>, samplesCount?: number): Promise<void>;
  /** Takes a time that the server sent by itself. */
  hear(serverTimeMs: number): void;
}

interface Sample {
  readonly offsetMs: number;
  readonly tripMs: number;
  readonly takenAtMs: number;
}

/** Crystals drift by some 50 parts in a million: after ten minutes a sample may be 30 ms off, and is given up. */
const sampleTtlMs = 10 * 60_000;
const samplesCountDefault = 5;

export function createServerClock(
  options: { monotonicMs?: () => number; wallMs?: () => number } = {},
): ServerClock {
  const { monotonicMs = () => performance.now(), wallMs = Date.now } = options;
  const ownOffsetMs = wallMs() - monotonicMs();
  let best: Sample | null = null;
  let floor: { offsetMs: number; takenAtMs: number } | null = null;

  const offsetMs = () => {
    const estimateMs = best?.offsetMs ?? floor?.offsetMs ?? ownOffsetMs;
    return floor ? Math.max(estimateMs, floor.offsetMs) : estimateMs;
  };
  const hear = (serverTimeMs: number) => {
    const takenAtMs = monotonicMs();
    const heardMs = serverTimeMs - takenAtMs;
    const stale = floor !== null && takenAtMs - floor.takenAtMs > sampleTtlMs;
    if (floor === null || stale || heardMs > floor.offsetMs) floor = { offsetMs: heardMs, takenAtMs };
  };

  return {
    now: () => monotonicMs() + offsetMs(),
    uncertaintyMs: () => (best ? best.tripMs / 2 : null),
    async sync(ask, samplesCount = samplesCountDefault) {
      for (let index = 0; index < samplesCount; index += 1) {
        const askedAtMs = monotonicMs();
        const serverTimeMs = await ask();
        const heardAtMs = monotonicMs();
        const tripMs = heardAtMs - askedAtMs;
        hear(serverTimeMs);
        const stale = best !== null && heardAtMs - best.takenAtMs > sampleTtlMs;
        if (best === null || stale || tripMs <= best.tripMs) {
          best = { offsetMs: serverTimeMs - (askedAtMs + heardAtMs) / 2, tripMs, takenAtMs: heardAtMs };
        }
      }
    },
    hear,
  };
}
