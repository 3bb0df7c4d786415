// The parts of the drill that can be told apart from a running engine: its command line, its plans, its figures.
import { describe, expect, it } from 'vitest';
import { planArrivals } from '../../scripts/drill/arrivals.ts';
import { createBoundedFetch } from '../../scripts/drill/bounded-fetch.ts';
import { readCommandLine } from '../../scripts/drill/options.ts';
import { percentilesOf } from '../../scripts/drill/percentiles.ts';
import { createPlaces } from '../../scripts/drill/places.ts';
import { createFallingPrices } from '../../scripts/drill/falling-prices.ts';
import { planBuyers } from '../../scripts/drill/plan-buyers.ts';
import { reckonTold } from '../../scripts/drill/sold-out-told.ts';
import { limits } from '../../server/limits.ts';

describe('the price of a hold', () => {
  const money = (amount: number) => ({ amount, currency: 'EUR' });
  const steps = [90, 80, 70].map((amount, index) => ({ atMs: 10_000 * (index + 1), price: money(amount) }));
  const item = { price: money(100), falling: { startPrice: money(100), floor: money(70), steps } };
  const offSchedule = (unitAmount: number, askedAtMs: number, answeredAtMs: number, sku = 'a') => {
    const prices = createFallingPrices(new Map([['a', item]]));
    prices.held({ sku, unitAmount, totalAmount: unitAmount, askedAtMs, answeredAtMs });
    return prices.counts().offSchedule;
  };

  it('is that of an instant of its call, give or take what a clock may be wrong by', () => {
    expect(offSchedule(90, 12_000, 13_000)).toBe(0);
    // Over a fall, either; over two, each of three.
    expect([90, 80].map(amount => offSchedule(amount, 19_900, 20_100))).toEqual([0, 0]);
    expect([100, 90, 80].map(amount => offSchedule(amount, 9_000, 20_100))).toEqual([0, 0, 0]);
    expect(offSchedule(90, 20_200, 20_300)).toBe(0);
  });

  it('is noticed where it is an older one, one to come, or none of the schedule', () => {
    expect(offSchedule(90, 20_300, 21_000)).toBe(1);
    expect(offSchedule(80, 12_000, 13_000)).toBe(1);
    expect(offSchedule(85, 9_000, 31_000)).toBe(1);
    expect(offSchedule(90, 12_000, 13_000, 'b')).toBe(1);
  });

  it('is told to be another than the order’s, and what all were told adds up', () => {
    const prices = createFallingPrices(new Map([['a', item]]));
    const hold = { sku: 'a', unitAmount: 90, totalAmount: 95, askedAtMs: 12_000, answeredAtMs: 12_100 };
    prices.paid(hold, 95);
    prices.paid(hold, 94);
    expect(prices.counts()).toEqual({ paid: { 90: 2 }, offSchedule: 0, chargedOtherwise: 1, toldMinor: 190 });
  });
});

describe('the command line of the drill', () => {
  it('has defaults for everything', () => {
    expect(readCommandLine([], {})).toMatchObject({
      buyersCount: 2_000,
      stockCount: 300,
      shape: 'spike',
      skusCount: 1,
      target: null,
    });
  });

  it('takes a running installation with its key, from the flag or from the environment', () => {
    const argv = ['--url', 'http://localhost:3000/', '--buyers', '10'];
    expect(readCommandLine([...argv, '--admin-key', 'given'], { ADMIN_KEY: 'set' })).toMatchObject({
      target: { url: 'http://localhost:3000', adminKey: 'given' },
    });
    expect(readCommandLine(argv, { ADMIN_KEY: 'set' })).toMatchObject({ target: { adminKey: 'set' } });
    expect(() => readCommandLine(argv, { DATA_DIR: '/nowhere' })).toThrow(/admin key/);
  });

  it.each([
    ['--arrival', 'sideways', /spike, flat, lobby/],
    ['--buyers', '0', /--buyers takes a whole number from 1/],
    ['--buyers', 'many', /--buyers/],
    ['--abandon', '1.5', /--abandon takes a share/],
    ['--3ds', 'all', /--3ds takes a share/],
    ['--webhooks', 'lost', /--webhooks takes sound or faulty/],
    ['--url', 'localhost', /--url takes an address/],
    ['--servers', '0', /--servers takes a whole number from 1/],
    ['--told-within', 'soon', /--told-within/],
    ['--falling', '0', /--falling takes a whole number from 1/],
    ['--nonsense', 'x', /--nonsense/],
  ])('refuses %s %s, saying what it takes', (flag, value, message) => {
    expect(() => readCommandLine([flag, value], {})).toThrow(message);
  });

  it('refuses to kill the only server, or one that is not its own', () => {
    expect(() => readCommandLine(['--kill-server'], {})).toThrow(/somebody must go on/);
    const elsewhere = ['--url', 'http://localhost:3000', '--admin-key', 'given', '--servers', '2'];
    expect(() => readCommandLine(elsewhere, {})).toThrow(/without --url/);
    expect(readCommandLine(['--servers', '2', '--kill-server'], {})).toMatchObject({
      serversCount: 2,
      withKill: true,
      toldWithinMs: 1_000,
    });
  });

  it('refuses more than all of the buyers', () => {
    const shares = ['--abandon', '0.4', '--decline', '0.3', '--3ds', '0.4'];
    expect(() => readCommandLine(shares, {})).toThrow(/at most 1/);
  });
});

describe('arrivals', () => {
  it.each(['spike', 'flat'] as const)('come in order, and from the opening on, when %s', shape => {
    const { opensAfterMs, arriveAfterMs } = planArrivals({ shape, buyersCount: 500 });
    expect(arriveAfterMs).toHaveLength(500);
    expect(arriveAfterMs).toEqual(arriveAfterMs.toSorted((a, b) => a - b));
    expect(Math.min(...arriveAfterMs)).toBeGreaterThanOrEqual(opensAfterMs);
  });

  it('come all before the lobby is frozen', () => {
    const { opensAfterMs, arriveAfterMs } = planArrivals({ shape: 'lobby', buyersCount: 500 });
    expect(arriveAfterMs).toHaveLength(500);
    expect(Math.max(...arriveAfterMs)).toBeLessThan(opensAfterMs - limits.lobbyFreezeLeadMs);
  });

  it('come evenly when flat', () => {
    const { arriveAfterMs } = planArrivals({ shape: 'flat', buyersCount: 300 });
    const gaps = arriveAfterMs.slice(1).map((at, index) => at - (arriveAfterMs[index] ?? 0));
    expect(Math.max(...gaps) - Math.min(...gaps)).toBeLessThan(0.001);
  });
});

describe('buyers', () => {
  it('intend what the shares say', () => {
    const schedule = { opensAfterMs: 0, arriveAfterMs: Array.from({ length: 10 }, () => 0) };
    let lot = 0;
    const plans = planBuyers({
      schedule,
      abandonShare: 0.4,
      declineShare: 0.2,
      challengeShare: 0.1,
      random: () => (lot++ + 0.5) / 10,
    });
    const intents = plans.map(plan => plan.intent);
    expect(plans.flatMap(plan => plan.leavesAfter ?? [])).toEqual(['join', 'pass', 'hold', 'payment']);
    expect(intents.filter(intent => intent === 'abandon')).toHaveLength(4);
    expect(intents.filter(intent => intent === 'decline')).toHaveLength(2);
    expect(intents.filter(intent => intent === 'challenge')).toHaveLength(1);
    expect(intents.filter(intent => intent === 'buy')).toHaveLength(3);
  });
});

describe('percentiles', () => {
  it('are values that were measured, by the nearest rank', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    expect(percentilesOf(values)).toEqual({ p50Ms: 50, p95Ms: 95, p99Ms: 99 });
    expect(percentilesOf([7])).toEqual({ p50Ms: 7, p95Ms: 7, p99Ms: 7 });
    expect(percentilesOf([])).toEqual({ p50Ms: 0, p95Ms: 0, p99Ms: 0 });
  });
});

describe('the bounded fetch', () => {
  it('never has more calls under way than it may, and makes them all', async () => {
    let underWay = 0;
    let most = 0;
    const { createServer } = await import('node:http');
    const server = createServer((_req, res) => {
      underWay += 1;
      most = Math.max(most, underWay);
      setImmediate(() => {
        underWay -= 1;
        res.end('ok');
      });
    });
    await new Promise<void>(resolve => void server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const fetch = createBoundedFetch(3);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await fetch(`http://127.0.0.1:${port}/`)).text()),
    );
    expect(answers).toHaveLength(20);
    expect(most).toBeLessThanOrEqual(3);
    await Promise.allSettled(Array.from({ length: 5 }, () => fetch('http://127.0.0.1:1/')));
    // Calls that failed have given their places back.
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('ok');
    server.closeAllConnections();
    server.close();
  });
});

describe('the word that all is sold', () => {
  it('is late by what the last of those who waited heard, on the clock of who sold', () => {
    expect(reckonTold(10_000, [10_300, 10_100, 10_900, 10_200])).toEqual({
      count: 4,
      p50Ms: 200,
      p99Ms: 900,
      maxMs: 900,
    });
    expect(reckonTold(null, [10_300])).toBeNull();
    expect(reckonTold(10_000, [])).toBeNull();
  });
});

describe('the places of the buyers', () => {
  it('are those that each was told first, whoever tells them again', () => {
    const places = createPlaces();
    for (const buyer of [1, 2]) {
      places.joined(buyer, { lane: 'general', arrival: buyer });
      places.waits(buyer, { lane: 'general', rank: 10 * buyer });
      places.waits(buyer, { lane: 'general', rank: 10 * buyer });
    }
    expect(places.counts()).toEqual({ ranked: 2, comparisons: 2, moved: 0, lost: 0 });
    // A missed call is a new ticket, and no loss of a place.
    places.waits(1, { lane: 'late', rank: 0 });
    expect(places.counts()).toMatchObject({ moved: 0 });
    places.joined(1, { lane: 'general', arrival: 7 });
    places.waits(2, { lane: 'general', rank: 21 });
    places.lost(2);
    expect(places.counts()).toEqual({ ranked: 2, comparisons: 4, moved: 2, lost: 1 });
  });
});
