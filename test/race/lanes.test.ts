// The lanes of a queue in a real Redis: codes, shares, the way back after a missed call, what a drop learns.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCodeHashes } from '../../server/drops/codes.ts';
import { lanes, type Drop, type Lane } from '../../server/drops/drop.ts';
import { dropIdSchema, newBuyerId, type BuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { dropKey } from '../../server/platform/keys.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';
import { inGeneral, newHoldId, openEngine, skuOf, type Engine } from '../support/engine.ts';

let server: EmbeddedRedis;
let engine: Engine;

beforeAll(async () => {
  server = await startEmbeddedRedis();
  engine = openEngine(server.url);
});
afterAll(async () => {
  await engine.close();
  await server.dispose();
});

const manyUnits = (total: number) => [
  { sku: skuOf('sku-a'), title: 'A', price: { amount: 100, currency: 'EUR' }, total, withdrawn: 0 },
];
const inLane = (lane: Lane, arrival: number) => ({ lane, arrival, rank: arrival });

async function laneOf(drop: Drop, name: Lane) {
  const view = await engine.live.look(drop.dropId);
  const lane = view?.lanes.find(candidate => candidate.lane === name);
  if (!lane) throw new Error(`the drop has no lane ${name}`);
  return lane;
}

async function joinMany(drop: Drop, count: number, codes: string[] = []): Promise<BuyerId[]> {
  const buyers = Array.from({ length: count }, () => newBuyerId());
  await Promise.all(buyers.map(buyerId => engine.queue.join(drop.dropId, buyerId, { codes })));
  return buyers;
}

async function admitAll(drop: Drop): Promise<number> {
  let called = 0;
  for (let calls = await engine.admit(drop); calls > 0; calls = await engine.admit(drop)) called += calls;
  return called;
}

describe('a code', () => {
  it('gives as many places in the priority lane as it may, under any number of tries at once', async () => {
    const drop = await engine.load({ codes: [{ hash: 'the-code', maxUses: 7 }] });
    const buyers = Array.from({ length: 50 }, () => newBuyerId());
    const joined = await Promise.all(
      // Each of them asks twice at once: one ticket, one use.
      buyers.flatMap(buyerId => [
        engine.queue.join(drop.dropId, buyerId, { codes: ['the-code'] }),
        engine.queue.join(drop.dropId, buyerId, { codes: ['the-code'] }),
      ]),
    );
    expect(joined.filter(outcome => outcome.kind === 'joined')).toHaveLength(14);
    expect(joined.filter(outcome => outcome.kind === 'bad-code')).toHaveLength(86);
    expect((await laneOf(drop, 'priority')).arrived).toBe(7);
    expect((await laneOf(drop, 'general')).arrived).toBe(0);
  });

  it('that is wrong or used up gives nothing, and its buyer may still stand in the general lane', async () => {
    const drop = await engine.load({ codes: [{ hash: 'the-code', maxUses: 1 }] });
    const [first, second] = [newBuyerId(), newBuyerId()];
    expect(await engine.queue.join(drop.dropId, first, { codes: ['another'] })).toEqual({ kind: 'bad-code' });
    expect(await engine.queue.join(drop.dropId, first, { codes: ['the-code'] })).toMatchObject({
      lane: 'priority',
    });
    expect(await engine.queue.join(drop.dropId, second, { codes: ['the-code'] })).toEqual({
      kind: 'bad-code',
    });
    expect(await engine.queue.join(drop.dropId, second)).toMatchObject({ lane: 'general', again: false });
    // One ticket for good: a code that comes afterwards changes nothing, and is not used up.
    expect(await engine.queue.join(drop.dropId, second, { codes: ['another'] })).toMatchObject({
      lane: 'general',
      again: true,
    });
  });

  it('loaded again keeps what was used of it', async () => {
    const drop = await engine.load({ codes: [{ hash: 'the-code', maxUses: 1 }] });
    await joinMany(drop, 1, ['the-code']);
    await engine.live.load(drop);
    expect(await engine.queue.join(drop.dropId, newBuyerId(), { codes: ['the-code'] })).toEqual({
      kind: 'bad-code',
    });
  });

  it('is kept as a keyed hash, and found under an older secret too', () => {
    const dropId = dropIdSchema.parse('drop-1');
    const before = createCodeHashes(['old secret']);
    const after = createCodeHashes(['new secret', 'old secret']);
    const kept = before.hash(dropId, 'Summer-26');
    expect(kept).not.toContain('ummer');
    expect(after.candidates(dropId, ' summer-26 ')).toContain(kept);
    expect(after.candidates(dropId, 'summer-27')).not.toContain(kept);
    expect(before.hash(dropIdSchema.parse('drop-2'), 'Summer-26')).not.toBe(kept);
  });
});

describe('lanes', () => {
  it('that wait share the calls by their weights', async () => {
    const drop = await engine.load({
      codes: [{ hash: 'the-code', maxUses: 1_000 }],
      items: manyUnits(1_000),
      activeMax: 100,
    });
    await joinMany(drop, 200);
    await joinMany(drop, 200, ['the-code']);
    expect(await admitAll(drop)).toBe(100);
    const { general, priority } = limits.laneWeights;
    const share = (100 * priority) / (general + priority);
    const serving = (await laneOf(drop, 'priority')).serving;
    expect(Math.abs(serving - share)).toBeLessThanOrEqual(1);
  });

  it('that were idle have saved up nothing: the first code of a long sale does not stop the line', async () => {
    const drop = await engine.load({
      codes: [{ hash: 'the-code', maxUses: 1_000 }],
      items: manyUnits(10_000),
      activeMax: 300,
    });
    await joinMany(drop, 600);
    expect(await admitAll(drop)).toBe(300);
    await joinMany(drop, 300, ['the-code']);
    await engine.setAheadMs(drop, drop.callWindowMs + 2_000);
    expect(await admitAll(drop)).toBe(300);
    expect((await laneOf(drop, 'priority')).serving).toBe(100);
    expect((await laneOf(drop, 'general')).serving).toBe(500);
  });
});

describe('a missed call', () => {
  it('gives its buyer one more place, in the late lane; missed there, the ticket ends', async () => {
    const drop = await engine.load({ activeMax: 1 });
    const buyer = newBuyerId();
    await engine.queue.join(drop.dropId, buyer);
    await admitAll(drop);
    await engine.setAheadMs(drop, drop.callWindowMs + 2_000);
    const moved = { kind: 'moved', lane: 'late', arrival: 0 };
    const answers = await Promise.all(
      Array.from({ length: 5 }, () => engine.queue.claim(drop.dropId, buyer, inGeneral(0))),
    );
    expect(answers).toEqual(Array.from({ length: 5 }, () => moved));
    expect(await engine.queue.join(drop.dropId, buyer)).toMatchObject({ lane: 'late', again: true });
    expect(await engine.queue.claim(drop.dropId, buyer, inLane('late', 0))).toEqual({ kind: 'waiting' });
    expect(await admitAll(drop)).toBe(1);
    expect(await engine.queue.claim(drop.dropId, buyer, inGeneral(0))).toEqual(moved);
    await engine.setAheadMs(drop, 2 * drop.callWindowMs + 4_000);
    expect(await engine.queue.claim(drop.dropId, buyer, inLane('late', 0))).toEqual({ kind: 'missed' });
    expect(await engine.queue.claim(drop.dropId, buyer, inGeneral(0))).toEqual({ kind: 'missed' });
    expect((await laneOf(drop, 'late')).arrived).toBe(1);
  });

  it('after the end of the sale gives no place any more', async () => {
    const drop = await engine.load();
    const buyer = newBuyerId();
    await engine.queue.join(drop.dropId, buyer);
    await admitAll(drop);
    await engine.setAheadMs(drop, drop.callWindowMs + 2_000);
    await engine.live.steer(drop.dropId, { action: 'close' });
    expect(await engine.queue.claim(drop.dropId, buyer, inGeneral(0))).toEqual({ kind: 'missed' });
    expect((await laneOf(drop, 'late')).arrived).toBe(0);
  });
});

describe('a draw', () => {
  it('takes nobody in once its entries are frozen, in any lane', async () => {
    const drop = await engine.load({
      mode: 'draw',
      opensAtMs: Date.now() + 30_000,
      codes: [{ hash: 'the-code', maxUses: 10 }],
    });
    const buyers = await joinMany(drop, 3);
    await joinMany(drop, 2, ['the-code']);
    await engine.setAheadMs(drop, 29_500);
    expect(await engine.live.open(drop.dropId, '')).toMatchObject({ frozen: true, lobbySize: 3 });
    expect((await laneOf(drop, 'priority')).lobbySize).toBe(2);
    expect(await engine.queue.join(drop.dropId, newBuyerId())).toEqual({ kind: 'closed' });
    expect(await engine.queue.join(drop.dropId, newBuyerId(), { codes: ['the-code'] })).toEqual({
      kind: 'closed',
    });
    expect(await engine.queue.join(drop.dropId, buyers[0] ?? newBuyerId())).toMatchObject({ again: true });
  });
});

describe('what a drop learns', () => {
  const learned = async (drop: Drop) => {
    const [share, units] = await engine.redis.hmget(
      dropKey(drop.dropId, 'queue'),
      'paidShare',
      'unitsPerHold',
    );
    return { paidShare: Number(share), unitsPerHold: Number(units) };
  };

  it('of calls that nobody claims lets it call more people, up to a bound', async () => {
    const drop = await engine.load({ items: manyUnits(8), activeMax: 500 });
    await joinMany(drop, 1_500);
    expect(await admitAll(drop)).toBe(10);
    const called: number[] = [];
    for (let round = 1; round <= 25; round += 1) {
      await engine.setAheadMs(drop, round * (drop.callWindowMs + 2_000));
      called.push(await admitAll(drop));
    }
    expect(called).toEqual(called.toSorted((a, b) => a - b));
    expect(called.at(-1)).toBe(8 * (1 + limits.admitSlack.max));
  });

  it('of payments and of the units of a hold lets it call fewer', async () => {
    const drop = await engine.load({ items: manyUnits(400), perBuyerMax: 4 });
    const first = await learned(drop);
    expect(first).toEqual({ paidShare: 0.8, unitsPerHold: 1 });
    for (let sale = 0; sale < 40; sale += 1) {
      const buyer = await engine.admitted(drop);
      const holdId = newHoldId();
      await engine.place(drop, buyer, { holdId, lines: [{ sku: skuOf('sku-a'), quantity: 4 }] });
      await engine.holds.pay(drop.dropId, holdId);
      await engine.holds.settle(drop.dropId, holdId);
    }
    const after = await learned(drop);
    expect(after.paidShare).toBeGreaterThan(0.9);
    expect(after.unitsPerHold).toBeGreaterThan(3.5);
    await joinMany(drop, 400);
    // 240 units are left, for buyers who take almost four each.
    const called = await admitAll(drop);
    expect(called).toBeGreaterThanOrEqual(60);
    expect(called).toBeLessThan(80);
  });

  it('bounds the calls by the payment budget: of so many, only the learned share comes to pay', async () => {
    const drop = await engine.load({ items: manyUnits(1_000), ratePerSec: 1_000, paymentsPerSec: 8 });
    await joinMany(drop, 100);
    expect(await admitAll(drop)).toBe(10);
    expect(await engine.queue.admit(drop.dropId)).toEqual({ kind: 'idle', why: 'payment-budget' });
  });
});

describe('units that come back', () => {
  it('re-open the calling in order of rank', async () => {
    const drop = await engine.load({ items: manyUnits(1) });
    const first = await engine.admitted(drop);
    const holdId = newHoldId();
    await engine.place(drop, first, { holdId });
    const [second] = await joinMany(drop, 1);
    await joinMany(drop, 2);
    expect(await engine.queue.admit(drop.dropId)).toEqual({ kind: 'idle', why: 'no-stock' });
    await engine.holds.release(drop.dropId, holdId, 'buyer');
    await engine.queue.leave(drop.dropId, first.buyerId, inGeneral(0));
    expect(await admitAll(drop)).toBeGreaterThan(0);
    expect(await engine.queue.claim(drop.dropId, second ?? newBuyerId(), inGeneral(1))).toMatchObject({
      kind: 'called',
    });
  });

  it('are not waited for once the shop took the last ones away: the sale is over', async () => {
    const drop = await engine.load({ items: manyUnits(2) });
    await joinMany(drop, 1);
    await engine.live.load({ ...drop, items: drop.items.map(item => ({ ...item, withdrawn: 2 })) });
    expect((await engine.live.look(drop.dropId))?.state).toBe('sold-out');
  });
});

describe('a message to the queue', () => {
  it('comes with what it explains, and a pause does not leave its own behind', async () => {
    const drop = await engine.load();
    await engine.live.steer(drop.dropId, { action: 'pause', message: 'back in a minute' });
    expect(await engine.live.look(drop.dropId)).toMatchObject({
      state: 'paused',
      message: 'back in a minute',
    });
    await engine.live.steer(drop.dropId, { action: 'resume' });
    expect(await engine.live.look(drop.dropId)).toMatchObject({ state: 'open', message: null });
    await engine.live.steer(drop.dropId, { action: 'close', message: 'thank you all' });
    expect(await engine.live.look(drop.dropId)).toMatchObject({ state: 'closed', message: 'thank you all' });
  });
});

it('the scripts number the lanes as tickets do', async () => {
  const drop = await engine.load({ codes: [{ hash: 'the-code', maxUses: 1 }] });
  expect(await engine.queue.join(drop.dropId, newBuyerId(), { codes: ['the-code'] })).toMatchObject({
    lane: 'priority',
  });
  expect(lanes).toEqual(['general', 'priority', 'late']);
});
