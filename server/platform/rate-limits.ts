// Rate limits, counted in a Redis of their own so that all processes count together. Where that Redis is gone, reads
// stay open and whatever takes stock or money is closed: a flood must not find the door unguarded. Where it is that of
// the jobs, which may be away or full while the shop sells on, the stock's counts in its place.
import type { Redis } from 'ioredis';
import { RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { PublicError } from '../errors.ts';
import { limits } from '../limits.ts';
import { createOwnCounts } from './own-counts.ts';
import { createRateStore, type RateStore } from './rate-store.ts';

export type RateName = 'session' | 'read' | 'write' | 'hold' | 'code' | 'code-address';

export interface RateLimits {
  /**
   * Counts one act; fails with `too-many` (and how long to wait) where the rate is exceeded. What is counted in this
   * process alone is decided at once: then there is nothing to await.
   */
  consume(name: RateName, key: string): Promise<void> | undefined;
}

export function createRateLimits(redis: Redis, instead: Redis | null = null): RateLimits {
  const store = createRateStore(redis, { waits: instead === null });
  const storeInstead = instead && createRateStore(instead, { waits: true });
  const shared = (name: string, points: number, durationSec: number) => {
    const limiter = (storeClient: RateStore, more: { insuranceLimiter?: RateLimiterRedis } = {}) =>
      new RateLimiterRedis({
        storeClient,
        ...more,
        keyPrefix: `rate:${name}`,
        points,
        duration: durationSec,
        // Who is over the limit is refused from memory: a flood is not passed on to Redis.
        inMemoryBlockOnConsumed: points + 1,
      });
    return limiter(store, storeInstead ? { insuranceLimiter: limiter(storeInstead) } : {});
  };
  const limiters = {
    session: shared('session', limits.sessionsPerAddressPerMin, 60),
    write: shared('write', limits.writesPerBuyerPerMin, 60),
    hold: shared('hold', limits.holdsPerBuyerPerMin, 60),
    code: shared('code', limits.codesPerBuyerPerMin, 60),
    'code-address': shared('code-address', limits.codesPerAddressPerMin, 60),
  };
  // Reads are cheap and many: each process counts its own.
  const reads = createOwnCounts({ points: limits.readsPerAddressPerSec, windowMs: 1_000 });
  const consumeShared = async (limiter: RateLimiterRedis, key: string) => {
    try {
      await limiter.consume(key);
    } catch (refusal) {
      if (refusal instanceof RateLimiterRes) throw tooMany(refusal.msBeforeNext);
      throw new PublicError('unavailable', 'This cannot be taken on right now: try again', {
        retryAfterMs: 1_000,
        cause: refusal,
      });
    }
  };
  return {
    consume(name, key) {
      if (name !== 'read') return consumeShared(limiters[name], key);
      const waitMs = reads.count(key);
      if (waitMs > 0) throw tooMany(waitMs);
      return undefined;
    },
  };
}

function tooMany(waitMs: number): PublicError {
  return new PublicError('too-many', 'Too many requests: wait and try again', {
    retryAfterMs: Math.max(waitMs, 1_000),
  });
}
