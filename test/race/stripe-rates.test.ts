// Turns at Stripe, booked by several processes at once in a real Redis: no second carries more than its rate.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createStripeBudget, type StripeBudget } from '../../server/payments/stripe-budget.ts';
import {
  operationOf,
  readStripeRates,
  stripeRatesOf,
  type StripeOperation,
  type StripeRates,
} from '../../server/payments/stripe-rates.rules.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';

const unbounded = stripeRatesOf({ changes: {}, isStandIn: true, isLive: false });

let server: EmbeddedRedis;
let connections: Redis[];
beforeAll(async () => {
  server = await startEmbeddedRedis();
  connections = [1, 2, 3].map(
    () => new Redis(server.url, { maxRetriesPerRequest: 0, retryStrategy: () => null }),
  );
  await Promise.all(connections.map(redis => redis.ping()));
});
afterAll(async () => {
  for (const redis of connections) redis.disconnect();
  await server.dispose();
});

const budgets = (rates: Partial<StripeRates>, waitMaxMs: number) =>
  connections.map(redis => createStripeBudget({ redis, rates: { ...unbounded, ...rates }, waitMaxMs }));

/** When each granted request is made, in ms of whoever booked it, in order; and how many were put off. */
async function bookMany(all: readonly StripeBudget[], operation: StripeOperation, count: number) {
  const turns = await Promise.all(
    Array.from({ length: count }, async (_, index) => all[index % all.length]?.book(operation)),
  );
  const madeMs = turns
    .flatMap(turn => (turn?.kind === 'granted' ? [turn.atMs + turn.waitMs] : []))
    .toSorted((a, b) => a - b);
  return { madeMs, putOffCount: count - madeMs.length };
}

/** The most requests that any second carries. */
const busiestSecond = (madeMs: readonly number[]) =>
  Math.max(...madeMs.map(from => madeMs.filter(at => at >= from && at < from + 1_000).length));

describe('turns at Stripe', () => {
  it('never let a second carry more than its rate, over three processes and a thousand requests at once', async () => {
    const { madeMs, putOffCount } = await bookMany(budgets({ create: 50 }, 3_000), 'create', 1_000);
    expect(busiestSecond(madeMs)).toBeLessThanOrEqual(50);
    // The three seconds that a request may wait are used: the flow of 40 a second, and the ten that came at once.
    expect(madeMs.length).toBeGreaterThanOrEqual(3 * 40);
    expect(putOffCount).toBeGreaterThan(0);
  });

  it('would be three times too many if each process counted for itself: the control', async () => {
    const apart = [1, 2, 3].map(() =>
      // No connection: each keeps to the rate by itself, as while the Redis of the limits is away.
      createStripeBudget({
        redis: new Redis({ lazyConnect: true }),
        rates: { ...unbounded, capture: 50 },
        waitMaxMs: 1_000,
      }),
    );
    const { madeMs } = await bookMany(apart, 'capture', 1_000);
    expect(busiestSecond(madeMs)).toBeGreaterThan(50);
  });

  it('are counted for each operation by itself, and all of them together', async () => {
    const all = budgets({ refund: 10, list: 10, all: 100 }, 0);
    expect((await bookMany(all, 'refund', 50)).madeMs.length).toBeLessThan(10);
    expect((await bookMany(all, 'list', 1)).madeMs).toHaveLength(1);
    // Nothing bounds retrievals but what all of them share.
    const retrievals = await bookMany(all, 'retrieve', 300);
    expect(retrievals.putOffCount).toBeGreaterThan(200);
  });

  it('keep a share for cancellations, which nothing else can use up', async () => {
    await connections[0]?.flushall();
    const all = budgets({ all: 100 }, 500);
    const others = await bookMany(all, 'create', 500);
    expect(others.putOffCount).toBeGreaterThan(0);
    const cancels = await bookMany(all, 'cancel', 4);
    expect(cancels.putOffCount).toBe(0);
  });
});

describe('the rates of an account', () => {
  it("are Stripe's own unless named, and none for a stand-in", () => {
    expect(stripeRatesOf({ changes: {}, isStandIn: false, isLive: true })).toMatchObject({
      create: 25,
      all: 100,
    });
    expect(stripeRatesOf({ changes: { create: 60 }, isStandIn: false, isLive: false })).toMatchObject({
      create: 60,
      cancel: 25,
      all: 25,
    });
    expect(new Set(Object.values(unbounded))).toEqual(new Set([null]));
  });

  it('are read from a setting, or refused with what it must be', () => {
    expect(readStripeRates('create=50, all=none')).toEqual({
      kind: 'rates',
      changes: { create: 50, all: null },
    });
    expect(readStripeRates('none')).toMatchObject({ changes: { all: null, cancel: null } });
    for (const text of ['create', 'create=0', 'create=-1', 'made=5', 'create=1=2', '']) {
      expect(readStripeRates(text)).toMatchObject({ kind: 'wrong' });
    }
  });

  it('count a request as what it does', () => {
    const operations = [
      ['POST', '/v1/payment_intents', 'create'],
      ['GET', '/v1/payment_intents/pi_1', 'retrieve'],
      ['GET', '/v1/payment_intents?limit=100', 'list'],
      ['POST', '/v1/payment_intents/pi_1', 'update'],
      ['POST', '/v1/payment_intents/pi_1/capture', 'capture'],
      ['POST', '/v1/payment_intents/pi_1/cancel', 'cancel'],
      ['POST', '/v1/refunds', 'refund'],
      ['GET', '/v1/events?types[0]=refund.created', 'list'],
      ['POST', '/v1/webhook_endpoints', 'other'],
    ] as const;
    for (const [method, path, operation] of operations) expect(operationOf(method, path)).toBe(operation);
  });
});
