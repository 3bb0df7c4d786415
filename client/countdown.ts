// Whole seconds down to an instant of the server's clock. Each step is due at the instant itself, less whole seconds,
// so that the pages of all visitors change their digits together and end together, whatever their own clocks say.
import { pause } from './backoff.ts';
import type { ServerClock } from './clock.ts';

export interface CountdownOptions {
  /** The instant to count down to, in the server's epoch milliseconds. */
  readonly toMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** The whole seconds that are left, rounded up: 0 is the instant itself, not a second before it. */
export function secondsLeft(toMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((toMs - nowMs) / 1_000));
}

/** A round trip's worth of doubt: estimates of the server's clock differ by no more. */
const waitSecMax = 2;

/**
 * Yields the seconds that are left, at once and at each change, and ends with 0. A reader that is slow, or a page that
 * slept, is told the present second and not those that it missed; so is one whose clock estimate was corrected.
 */
export async function* countdown(
  clock: Pick<ServerClock, 'now'>,
  options: CountdownOptions,
): AsyncGenerator<number, void, void> {
  const { toMs, signal } = options;
  const isAborted = () => signal?.aborted === true;
  let last = Number.POSITIVE_INFINITY;
  while (!isAborted()) {
    const nowMs = clock.now();
    const left = secondsLeft(toMs, nowMs);
    // A better estimate of the clock may show that a little less time has passed; the digits wait for it then. A clock
    // that was wrong by more than that (a page's own, before the server's was known) is put right at once.
    if (left < last || left > last + waitSecMax) {
      last = left;
      yield left;
      if (left === 0) return;
      continue;
    }
    await pause(Math.max(1, toMs - (last - 1) * 1_000 - nowMs), signal).catch(() => undefined);
  }
}
