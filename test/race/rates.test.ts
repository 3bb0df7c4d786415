// Rates counted by several processes at once, in a real Redis.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PublicError } from '../../server/errors.ts';
import { limits } from '../../server/limits.ts';
import { createRateLimits, type RateLimits } from '../../server/platform/rate-limits.ts';
import { createRateStore } from '../../server/platform/rate-store.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';

let server: EmbeddedRedis;
let connections: Redis[];
beforeAll(async () => {
  server = await startEmbeddedRedis();
  connections = [1, 2].map(
    () => new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => null }),
  );
});
afterAll(async () => {
  for (const redis of connections) redis.disconnect();
  await server.dispose();
});

const outcomeOf = async (rates: RateLimits, key: string) => {
  try {
    await rates.consume('hold', key);
    return 'counted';
  } catch (error) {
    return error instanceof PublicError ? `${error.reason} ${Number(error.retryAfterMs) <= 60_000}` : 'other';
  }
};
const tally = (outcomes: string[]) =>
  Object.fromEntries([...new Set(outcomes)].map(each => [each, outcomes.filter(o => o === each).length]));

describe('rates', () => {
  it('let through exactly as many as they say, for each key, over two processes and more keys than one script takes', async () => {
    const processes = connections.map(redis => createRateLimits(redis));
    const perBuyer = limits.holdsPerBuyerPerMin;
    const buyers = Array.from({ length: limits.gatheredRatesCount / 4 }, (_, index) => `buyer-${index}`);
    const calls = buyers.flatMap(buyer =>
      Array.from({ length: perBuyer + 3 }, (_, index) => ({
        buyer,
        rates: processes[index % processes.length],
      })),
    );
    const outcomes = await Promise.all(
      calls.map(async ({ buyer, rates }) => [buyer, rates ? await outcomeOf(rates, buyer) : ''] as const),
    );
    for (const buyer of buyers) {
      const own = outcomes.filter(([of]) => of === buyer).map(([, outcome]) => outcome);
      expect(tally(own)).toEqual({ counted: perBuyer, 'too-many true': 3 });
    }
  });

  it('answer each caller with the count of their own key, and give it an end', async () => {
    const [redis] = connections;
    if (!redis) throw new Error('there is a connection');
    const store = createRateStore(redis);
    const counted = await Promise.all(
      ['a', 'b', 'a', 'c', 'a'].map((key, index) => store.rlflxIncr([`own-${key}`, String(index + 1), '60'])),
    );
    expect(counted.map(([count]) => count)).toEqual([1, 2, 4, 4, 9]);
    for (const [, ttlMs] of counted) expect(ttlMs).toBeGreaterThan(50_000);
    // A key without an end, as a write cut short could leave it, is given one.
    await redis.set('own-endless', 5);
    expect(await store.rlflxIncr(['own-endless', '1', '60'])).toEqual([6, 60_000]);
    expect(await redis.pttl('own-endless')).toBeGreaterThan(50_000);
  });

  it('refuse every caller of a turn whose count could not be made', async () => {
    const away = new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => null });
    await away.ping();
    away.disconnect();
    const rates = createRateLimits(away);
    expect(await Promise.all(['x', 'y', 'z'].map(key => outcomeOf(rates, key)))).toEqual(
      Array(3).fill('unavailable true'),
    );
  });
});
