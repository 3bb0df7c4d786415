// The queue of a drop in a real Redis: joining, calling, claiming, missing, leaving, lapsing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drop } from '../../server/drops/drop.ts';
import { newBuyerId, type BuyerId } from '../../server/ids.ts';
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

async function joinMany(drop: Drop, count: number): Promise<BuyerId[]> {
  const buyers = Array.from({ length: count }, () => newBuyerId());
  const joined = await Promise.all(buyers.map(buyerId => engine.queue.join(drop.dropId, buyerId)));
  const arrivals = joined.map(outcome => (outcome.kind === 'joined' ? outcome.arrival : -1));
  expect(arrivals.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, index) => index));
  return buyers.toSorted((a, b) => (arrivals[buyers.indexOf(a)] ?? 0) - (arrivals[buyers.indexOf(b)] ?? 0));
}

async function viewOf(drop: Drop) {
  const view = await engine.live.look(drop.dropId);
  if (!view) throw new Error('the drop is not loaded');
  return view;
}

const manyUnits = (total: number) => [
  { sku: skuOf('sku-a'), title: 'A', price: { amount: 100, currency: 'EUR' }, total, withdrawn: 0 },
];

describe('a ticket', () => {
  it('is one for each buyer, whoever asks how often', async () => {
    const drop = await engine.load();
    const buyerId = newBuyerId();
    const joined = await Promise.all(
      Array.from({ length: 20 }, () => engine.queue.join(drop.dropId, buyerId)),
    );
    expect(joined.filter(outcome => outcome.kind === 'joined' && !outcome.again)).toHaveLength(1);
    for (const outcome of joined) expect(outcome).toMatchObject({ kind: 'joined', arrival: 0 });
    expect((await viewOf(drop)).lanes[0]).toMatchObject({ arrived: 1 });
  });

  it('is not given before the lobby opens, nor after the end', async () => {
    const early = await engine.load({ lobbyOpensAtMs: Date.now() + 60_000, opensAtMs: Date.now() + 90_000 });
    expect(await engine.queue.join(early.dropId, newBuyerId())).toEqual({ kind: 'not-yet' });
    const closed = await engine.load();
    await engine.live.steer(closed.dropId, { action: 'close' });
    expect(await engine.queue.join(closed.dropId, newBuyerId())).toEqual({ kind: 'closed' });
  });

  it('is called in its turn, claimed once, and its pass is the same however often it is asked for', async () => {
    const drop = await engine.load({ activeMax: 1 });
    const [first, second] = await joinMany(drop, 2);
    if (!first || !second) throw new Error('there are two buyers');
    expect(await engine.queue.claim(drop.dropId, first, inGeneral(0))).toEqual({ kind: 'waiting' });
    expect(await engine.admit(drop)).toBe(1);
    const claims = await Promise.all(
      Array.from({ length: 10 }, () => engine.queue.claim(drop.dropId, first, inGeneral(0))),
    );
    expect(new Set(claims.map(claim => JSON.stringify(claim))).size).toBe(1);
    expect(claims[0]).toMatchObject({ kind: 'called' });
    expect(await engine.queue.claim(drop.dropId, second, inGeneral(1))).toEqual({ kind: 'waiting' });
    expect(await engine.admit(drop)).toBe(0);
    expect((await viewOf(drop)).activeCount).toBe(1);
  });

  it('that is not claimed in its window is missed, and the call is given on', async () => {
    const drop = await engine.load({ activeMax: 1 });
    const [first, second] = await joinMany(drop, 2);
    if (!first || !second) throw new Error('there are two buyers');
    await engine.admit(drop);
    expect(await engine.admit(drop)).toBe(0);
    await engine.setAheadMs(drop, drop.callWindowMs + 2_000);
    expect(await engine.admit(drop)).toBe(1);
    expect(await engine.queue.claim(drop.dropId, first, inGeneral(0))).toEqual({
      kind: 'moved',
      lane: 'late',
      arrival: 0,
    });
    expect(await engine.queue.claim(drop.dropId, second, inGeneral(1))).toMatchObject({ kind: 'called' });
    expect(await viewOf(drop)).toMatchObject({ activeCount: 1, unclaimedCount: 0 });
  });

  it('whose pass lapses without a hold ends, and makes room; with a live hold it goes on', async () => {
    const drop = await engine.load({ activeMax: 2, holdTtlMs: 120_000 });
    const [idle, busy, next] = await joinMany(drop, 3);
    if (!idle || !busy || !next) throw new Error('there are three buyers');
    await engine.admit(drop);
    await engine.queue.claim(drop.dropId, idle, inGeneral(0));
    const claim = await engine.queue.claim(drop.dropId, busy, inGeneral(1));
    if (claim.kind !== 'called') throw new Error(claim.kind);
    const holdId = newHoldId();
    await engine.place(drop, { buyerId: busy, passExpiresAtMs: claim.expiresAtMs }, { holdId });
    await engine.setAheadMs(drop, drop.passTtlMs + 2_000);
    expect(await engine.holds.sweep(drop.dropId)).toMatchObject({ holdsCount: 0, passesCount: 2 });
    expect(await engine.queue.claim(drop.dropId, idle, inGeneral(0))).toEqual({ kind: 'left' });
    expect(await engine.queue.claim(drop.dropId, busy, inGeneral(1))).toMatchObject({ kind: 'called' });
    expect(await engine.admit(drop)).toBe(1);
    await engine.holds.release(drop.dropId, holdId, 'buyer');
    expect(await engine.queue.claim(drop.dropId, busy, inGeneral(1))).toEqual({ kind: 'left' });
    expect(await viewOf(drop)).toMatchObject({ activeCount: 0, unclaimedCount: 1 });
  });

  it('that is left frees its call, and leaving twice is leaving once', async () => {
    const drop = await engine.load({ activeMax: 1 });
    const [first, second] = await joinMany(drop, 2);
    if (!first || !second) throw new Error('there are two buyers');
    await engine.admit(drop);
    expect(await engine.queue.leave(drop.dropId, first, inGeneral(0))).toEqual({ kind: 'left' });
    expect(await engine.queue.leave(drop.dropId, first, inGeneral(0))).toEqual({ kind: 'left' });
    expect(await viewOf(drop)).toMatchObject({ activeCount: 0, unclaimedCount: 0 });
    expect(await engine.admit(drop)).toBe(1);
  });
});

describe('admission', () => {
  it('never exceeds activeMax, calls each rank once and in order, however many run it at once', async () => {
    const drop = await engine.load({ activeMax: 7, items: manyUnits(1_000) });
    const buyers = await joinMany(drop, 60);
    const called: number[] = [];
    for (let round = 0; called.length < buyers.length; round += 1) {
      expect(round).toBeLessThan(60);
      await Promise.all(Array.from({ length: 8 }, () => engine.admit(drop)));
      const view = await viewOf(drop);
      expect(view.activeCount + view.unclaimedCount).toBeLessThanOrEqual(7);
      const serving = view.lanes[0]?.serving ?? 0;
      for (let rank = called.length; rank < serving; rank += 1) {
        const buyerId = buyers[rank];
        if (!buyerId) throw new Error('somebody was called who is not there');
        expect(await engine.queue.claim(drop.dropId, buyerId, inGeneral(rank))).toMatchObject({
          kind: 'called',
        });
        expect(await engine.queue.leave(drop.dropId, buyerId, inGeneral(rank))).toEqual({ kind: 'left' });
        called.push(rank);
      }
    }
    expect(called).toEqual(buyers.map((_, rank) => rank));
  });

  it('keeps the rate: after a pause it makes up for no more than a second of it', async () => {
    const drop = await engine.load({ ratePerSec: 5, items: manyUnits(1_000) });
    await joinMany(drop, 100);
    await engine.setAheadMs(drop, 60_000);
    let called = 0;
    for (let calls = await engine.admit(drop); calls > 0; calls = await engine.admit(drop)) called += calls;
    expect(called).toBe(5);
  });

  it('calls no more people than the stock can serve, and nobody while everything is held', async () => {
    const drop = await engine.load({ items: manyUnits(4), perBuyerMax: 1 });
    const buyers = await joinMany(drop, 50);
    // Four units and a quarter of slack: five people.
    expect(await engine.admit(drop)).toBe(5);
    expect(await engine.admit(drop)).toBe(0);
    for (const [rank, buyerId] of buyers.slice(0, 4).entries()) {
      const claim = await engine.queue.claim(drop.dropId, buyerId, inGeneral(rank));
      if (claim.kind !== 'called') throw new Error(claim.kind);
      await engine.place(drop, { buyerId, passExpiresAtMs: claim.expiresAtMs });
    }
    expect(await engine.queue.admit(drop.dropId)).toEqual({ kind: 'idle', why: 'no-stock' });
  });

  it('proposes the same calls again until they take effect, and puts them into effect once', async () => {
    const drop = await engine.load({ activeMax: 3, items: manyUnits(100) });
    await joinMany(drop, 10);
    const proposals = await Promise.all(Array.from({ length: 5 }, () => engine.queue.admit(drop.dropId)));
    expect(new Set(proposals.map(proposal => JSON.stringify(proposal))).size).toBe(1);
    const effects = await Promise.all(Array.from({ length: 5 }, () => engine.queue.call(drop.dropId, 0)));
    expect(effects.filter(effect => effect.kind === 'called')).toHaveLength(1);
    expect((await viewOf(drop)).lanes[0]?.serving).toBe(3);
  });

  it('stands still while the drop is paused, and goes on when it is resumed', async () => {
    const drop = await engine.load();
    await joinMany(drop, 3);
    await engine.live.steer(drop.dropId, { action: 'pause' });
    expect(await engine.queue.admit(drop.dropId)).toEqual({ kind: 'idle', why: 'paused' });
    await engine.live.steer(drop.dropId, { action: 'resume' });
    expect(await engine.admit(drop)).toBe(3);
  });
});

describe('a lobby', () => {
  it('is frozen, then opened with its key, once, and lets nobody in before', async () => {
    const drop = await engine.load({ mode: 'shuffle', opensAtMs: Date.now() + 30_000 });
    await joinMany(drop, 5);
    expect(await engine.live.open(drop.dropId, 'a key')).toMatchObject({ state: 'lobby', frozen: false });
    expect(await engine.queue.admit(drop.dropId)).toEqual({ kind: 'idle', why: 'lobby' });
    await engine.setAheadMs(drop, 29_500);
    expect(await engine.live.open(drop.dropId, 'a key')).toMatchObject({
      state: 'lobby',
      frozen: true,
      lobbySize: 5,
    });
    await engine.queue.join(drop.dropId, newBuyerId());
    await engine.setAheadMs(drop, 30_500);
    expect(await engine.live.open(drop.dropId, '')).toMatchObject({ state: 'lobby', lobbySize: 5 });
    expect(await engine.live.open(drop.dropId, 'the key')).toMatchObject({ state: 'open', lobbySize: 5 });
    await engine.live.open(drop.dropId, 'another key');
    const view = await viewOf(drop);
    expect(view.key).toBe('the key');
    expect(view.lanes[0]).toMatchObject({ lane: 'general', arrived: 6, lobbySize: 5 });
  });
});
