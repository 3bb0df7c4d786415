// The time that tokens and the tolerance for webhooks go by: Redis' clock, carried forward by this process's
// monotonic timer. A system clock that is wrong, or that steps, changes nothing. What decides about stock, passes
// and holds asks Redis itself, inside its script.
import type { Redis } from 'ioredis';
import { clockAheadKey } from './keys.ts';

export interface Clock {
  /** Epoch milliseconds of the engine's time. */
  now(): number;
  stop(): void;
}

/** Drift of a computer's oscillator is some 50 ppm: 3 ms a minute, so one look a minute keeps us within a tick. */
const lookEveryMs = 60_000;
/** Where somebody moves the clock, they wait for it to have moved. */
const movedLookEveryMs = 100;

/**
 * `movable`: the milliseconds in one key of Redis are added, as the scripts' clock adds those of each drop, so that a
 * rehearsal of days takes seconds. Refused beside real money, as that one is.
 */
export async function startClock(redis: Redis, { movable = false } = {}): Promise<Clock> {
  let offsetMs = 0;
  const look = async () => {
    const before = performance.now();
    const [seconds, micros] = await redis.time();
    const after = performance.now();
    const aheadMs = movable ? Number(await redis.get(clockAheadKey)) : 0;
    offsetMs = Number(seconds) * 1000 + Number(micros) / 1000 - (before + after) / 2 + aheadMs;
  };
  await look();
  // A look that fails changes nothing: the last offset goes on serving until Redis is back.
  const timer = setInterval(
    () => void look().catch(() => undefined),
    movable ? movedLookEveryMs : lookEveryMs,
  );
  timer.unref();
  return {
    now: () => Math.round(performance.now() + offsetMs),
    stop: () => clearInterval(timer),
  };
}
