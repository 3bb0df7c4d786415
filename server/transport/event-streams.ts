// Subscriptions as server-sent events: how many each buyer and each address may hold open, and that none outlives its
// token. What is sent on them is the stock adapter's.
import type { ServerResponse } from 'node:http';
import { PublicError } from '../errors.ts';
import type { Limits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import type { Context } from '../trpc.ts';
import { createCountsByKey, type CountsByKey } from './counts-by-key.ts';

export interface EventStreams {
  /** Counts the stream until it closes, and closes it when its token ends. Throws `too-many` beyond a bound. */
  attend(res: ServerResponse, context: Context): void;
}

/** A client that finds no room comes back a little later than one that lost its connection. */
const fullRetryMs = 5_000;

export function createEventStreams(
  clock: Pick<Clock, 'now'>,
  limits: Pick<Limits, 'socketSweepMs' | 'streamsPerAddressCount' | 'streamsPerBuyerCount'>,
): EventStreams {
  const perAddress = createCountsByKey();
  const perBuyer = createCountsByKey();
  const expiries = new Map<ServerResponse, number>();
  // A client comes back by itself, and is then told that its token is no longer good.
  const sweep = setInterval(() => {
    const nowMs = clock.now();
    for (const [res, expiresAtMs] of expiries) if (nowMs >= expiresAtMs) res.destroy();
  }, limits.socketSweepMs);
  sweep.unref();
  return {
    attend(res, { caller, address }) {
      // A client that went away while its context was made would never be counted out again.
      if (res.closed || res.destroyed) return;
      const bounds: Bound[] = [
        { counts: perAddress, key: address, max: limits.streamsPerAddressCount, whose: 'An address' },
      ];
      if (caller.kind === 'buyer') {
        const max = limits.streamsPerBuyerCount;
        bounds.push({ counts: perBuyer, key: caller.buyerId, max, whose: 'A buyer' });
      }
      const full = bounds.find(({ counts, key, max }) => counts.of(key) >= max);
      if (full) {
        throw new PublicError('too-many', `${full.whose} has at most ${full.max} event streams`, {
          retryAfterMs: fullRetryMs,
        });
      }
      for (const { counts, key } of bounds) counts.add(key);
      if (caller.kind !== 'nobody' && caller.expiresAtMs !== undefined) expiries.set(res, caller.expiresAtMs);
      res.once('close', () => {
        expiries.delete(res);
        for (const { counts, key } of bounds) counts.remove(key);
      });
    },
  };
}

interface Bound {
  readonly counts: CountsByKey;
  readonly key: string;
  readonly max: number;
  readonly whose: string;
}
