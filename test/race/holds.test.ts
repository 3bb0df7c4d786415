// The stock of a drop in a real Redis: holds placed, paid, settled, released and swept.
import { randomUUID } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drop } from '../../server/drops/drop.ts';
import { holdIdSchema } from '../../server/ids.ts';
import { buyerBytes, dropKey } from '../../server/platform/keys.ts';
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

async function stockOf(drop: Drop, sku = 'sku-a') {
  const view = await engine.live.look(drop.dropId);
  const stock = view?.stock.find(candidate => candidate.sku === sku);
  if (!stock) throw new Error('the drop has no such SKU');
  expect(stock.available + stock.held + stock.sold + stock.withdrawn).toBe(stock.total);
  return stock;
}

describe('a hold', () => {
  it('takes its units, is found by its id, and gives them back once', async () => {
    const drop = await engine.load();
    const buyer = await engine.admitted(drop);
    const holdId = newHoldId();
    const placed = await engine.place(drop, buyer, { holdId, lines: [{ sku: skuOf('sku-a'), quantity: 2 }] });
    expect(placed).toMatchObject({ kind: 'held', replay: false });
    expect(await stockOf(drop)).toMatchObject({ available: 8, held: 2 });
    expect(await engine.holds.find(holdId)).toMatchObject({
      holdId,
      dropId: drop.dropId,
      buyerId: buyer.buyerId,
      state: 'held',
      lines: [{ sku: 'sku-a', quantity: 2 }],
    });
    expect(await engine.holds.release(drop.dropId, holdId, 'buyer')).toEqual({ kind: 'released' });
    expect(await engine.holds.release(drop.dropId, holdId, 'buyer')).toEqual({ kind: 'released' });
    expect(await stockOf(drop)).toMatchObject({ available: 10, held: 0 });
  });

  it('placed again under its id answers with itself, and with another body conflicts', async () => {
    const drop = await engine.load();
    const buyer = await engine.admitted(drop);
    const other = await engine.admitted(drop);
    const holdId = newHoldId();
    await engine.place(drop, buyer, { holdId });
    expect(await engine.place(drop, buyer, { holdId })).toMatchObject({ kind: 'held', replay: true });
    expect(await engine.place(drop, buyer, { holdId, fingerprint: 'another body' })).toEqual({
      kind: 'conflict',
    });
    expect(await engine.place(drop, other, { holdId })).toEqual({ kind: 'conflict' });
    expect(await stockOf(drop)).toMatchObject({ available: 9, held: 1 });
    await engine.holds.release(drop.dropId, holdId, 'buyer');
    expect(await engine.place(drop, buyer, { holdId })).toMatchObject({ kind: 'released', replay: true });
    expect(await stockOf(drop)).toMatchObject({ available: 10, held: 0 });
  });

  it('is refused without a pass, with a lapsed one, for a second live hold, and beyond the limit for a buyer', async () => {
    const drop = await engine.load();
    const buyer = await engine.admitted(drop);
    expect(await engine.place(drop, { ...buyer, passExpiresAtMs: buyer.passExpiresAtMs + 1 })).toEqual({
      kind: 'pass-expired',
    });
    const holdId = newHoldId();
    await engine.place(drop, buyer, { holdId });
    expect(await engine.place(drop, buyer)).toEqual({ kind: 'limit-reached', limit: 'pass' });
    await engine.holds.release(drop.dropId, holdId, 'buyer');
    const three = [{ sku: skuOf('sku-a'), quantity: 3 }];
    expect(await engine.place(drop, buyer, { lines: three })).toEqual({
      kind: 'limit-reached',
      limit: 'buyer',
    });
    expect(await engine.place(drop, buyer, { quoteExpiresAtMs: 1 })).toEqual({ kind: 'quote-expired' });
    await engine.setAheadMs(drop, drop.passTtlMs + 2_000);
    expect(await engine.place(drop, buyer)).toEqual({ kind: 'pass-expired' });
    expect(await stockOf(drop)).toMatchObject({ available: 10, held: 0 });
  });

  it('takes all of its lines or none', async () => {
    const price = { amount: 100, currency: 'EUR' };
    const item = (sku: string, total: number) => ({
      sku: skuOf(sku),
      title: sku,
      price,
      total,
      withdrawn: 0,
    });
    const drop = await engine.load({ items: [item('sku-a', 5), item('sku-b', 1)] });
    const first = await engine.admitted(drop);
    const second = await engine.admitted(drop);
    const both = [
      { sku: skuOf('sku-a'), quantity: 1 },
      { sku: skuOf('sku-b'), quantity: 1 },
    ];
    const holdId = newHoldId();
    expect(await engine.place(drop, first, { holdId, lines: both })).toMatchObject({ kind: 'held' });
    expect(await engine.place(drop, second, { lines: both })).toEqual({ kind: 'all-held', sku: 'sku-b' });
    expect(await stockOf(drop)).toMatchObject({ available: 4, held: 1 });
    await engine.holds.pay(drop.dropId, holdId);
    await engine.holds.settle(drop.dropId, holdId);
    expect(await engine.place(drop, second, { lines: both })).toEqual({ kind: 'sold-out', sku: 'sku-b' });
    const twice = [both[0], both[0]].flatMap(line => line ?? []);
    await expect(engine.place(drop, second, { lines: twice })).rejects.toThrow('a SKU is named twice');
  });

  it('that has run out is swept once; one that is being paid is not', async () => {
    const drop = await engine.load();
    const [idle, payer] = [await engine.admitted(drop), await engine.admitted(drop)];
    const paid = newHoldId();
    await engine.place(drop, idle);
    await engine.place(drop, payer, { holdId: paid });
    expect(await engine.holds.pay(drop.dropId, paid)).toMatchObject({ kind: 'paying' });
    expect(await engine.holds.sweep(drop.dropId)).toMatchObject({ holdsCount: 0 });
    await engine.setAheadMs(drop, drop.holdTtlMs + 2_000);
    expect(await engine.holds.sweep(drop.dropId)).toMatchObject({ holdsCount: 1 });
    expect(await engine.holds.sweep(drop.dropId)).toMatchObject({ holdsCount: 0 });
    expect(await stockOf(drop)).toMatchObject({ available: 9, held: 1 });
    expect(await engine.holds.release(drop.dropId, paid, 'buyer')).toEqual({ kind: 'paying' });
    expect(await engine.holds.release(drop.dropId, paid, 'order')).toEqual({ kind: 'released' });
    expect(await stockOf(drop)).toMatchObject({ available: 10, held: 0 });
  });

  it('would be returned twice by a sweep that does not end it: the control', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-lua-'));
    cpSync(path.resolve(import.meta.dirname, '../../lua'), folder, { recursive: true });
    const file = path.join(folder, 'include/hold-end.lua');
    const text = readFileSync(file, 'utf8');
    const forgetful = text
      .replace("'state', 'released', ", '')
      .replace("redis.call('ZREM', keys.holdsDue, holdId)", '');
    expect(forgetful.length, 'both places are there').toBeLessThan(text.length - 50);
    writeFileSync(file, forgetful);
    const planted = openEngine(server.url, { luaFolder: folder });
    const drop = await engine.load();
    await engine.place(drop, await engine.admitted(drop));
    await engine.setAheadMs(drop, drop.holdTtlMs + 2_000);
    expect(await planted.holds.sweep(drop.dropId)).toMatchObject({ holdsCount: 1 });
    expect(await planted.holds.sweep(drop.dropId)).toMatchObject({ holdsCount: 1 });
    expect(await stockOf(drop)).toMatchObject({ available: 11, held: -1 });
    await planted.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('is extended once into its payment window, and not revived after it ran out', async () => {
    const drop = await engine.load();
    const buyer = await engine.admitted(drop);
    const late = await engine.admitted(drop);
    const [holdId, lateId] = [newHoldId(), newHoldId()];
    await engine.place(drop, buyer, { holdId });
    await engine.place(drop, late, { holdId: lateId });
    const first = await engine.holds.pay(drop.dropId, holdId);
    await engine.setAheadMs(drop, drop.holdTtlMs + 2_000);
    expect(await engine.holds.pay(drop.dropId, holdId)).toEqual(first);
    expect(await engine.holds.pay(drop.dropId, lateId)).toEqual({ kind: 'released' });
    expect(await engine.holds.pay(drop.dropId, newHoldId())).toEqual({ kind: 'missing' });
  });

  it('of the last unit, settled, ends the sale', async () => {
    const price = { amount: 100, currency: 'EUR' };
    const drop = await engine.load({
      items: [{ sku: skuOf('sku-a'), title: 'A', price, total: 1, withdrawn: 0 }],
    });
    const buyer = await engine.admitted(drop);
    const holdId = newHoldId();
    await engine.place(drop, buyer, { holdId });
    await engine.holds.pay(drop.dropId, holdId);
    expect((await engine.live.look(drop.dropId))?.state).toBe('open');
    expect(await engine.holds.settle(drop.dropId, holdId)).toEqual({ kind: 'settled' });
    expect(await engine.holds.settle(drop.dropId, holdId)).toEqual({ kind: 'settled' });
    expect(await engine.holds.release(drop.dropId, holdId, 'order')).toEqual({ kind: 'settled' });
    expect((await engine.live.look(drop.dropId))?.state).toBe('sold-out');
    expect(await stockOf(drop)).toMatchObject({ available: 0, held: 0, sold: 1 });
    expect(await engine.queue.claim(drop.dropId, buyer.buyerId, inGeneral(0))).toEqual({ kind: 'done' });
  });
});

describe('more buyers than units', () => {
  /** The same purchase without the script: read, look, then write. What lies between is where others come in. */
  async function placeUnsafely(drop: Drop): Promise<boolean> {
    const stockKey = dropKey(drop.dropId, 'stock');
    const available = Number(await engine.redis.hget(stockKey, 'sku-a/available'));
    if (available < 1) return false;
    await engine.redis.hincrby(stockKey, 'sku-a/available', -1);
    return true;
  }

  it('get as many holds as there are units, however they come', async () => {
    const drop = await engine.load();
    // Admission lets in a few more than there are units, because not everybody buys.
    const buyers = [];
    for (let index = 0; index < 12; index += 1) buyers.push(await engine.admitted(drop));
    const outcomes = await Promise.all(buyers.map(buyer => engine.place(drop, buyer)));
    expect(outcomes.filter(outcome => outcome.kind === 'held')).toHaveLength(10);
    expect(outcomes.filter(outcome => outcome.kind === 'all-held')).toHaveLength(2);
    expect(await stockOf(drop)).toMatchObject({ available: 0, held: 10 });
  });

  it('oversell where the script is replaced by read-then-write: the control that shows that the race is real', async () => {
    const drop = await engine.load();
    const outcomes = await Promise.all(Array.from({ length: 100 }, () => placeUnsafely(drop)));
    expect(outcomes.filter(Boolean).length).toBeGreaterThan(10);
    expect(Number(await engine.redis.hget(dropKey(drop.dropId, 'stock'), 'sku-a/available'))).toBeLessThan(0);
  });

  it('keep the limit for a buyer under a thousand attempts at once', async () => {
    const drop = await engine.load();
    const buyer = await engine.admitted(drop);
    const outcomes = await Promise.all(
      Array.from({ length: 1_000 }, () =>
        engine.place(drop, buyer, { holdId: holdIdSchema.parse(randomUUID()) }),
      ),
    );
    expect(outcomes.filter(outcome => outcome.kind === 'held')).toHaveLength(1);
    expect(await stockOf(drop)).toMatchObject({ held: 1 });
  });

  it('buy beyond the limit where it is read and then written: the control', async () => {
    const drop = await engine.load();
    const { buyerId } = await engine.admitted(drop);
    const boughtKey = dropKey(drop.dropId, 'bought');
    const buyUnsafely = async () => {
      const bought = Number(await engine.redis.hget(boughtKey, buyerBytes(buyerId)));
      if (bought + 1 > drop.perBuyerMax) return false;
      await engine.redis.hincrby(boughtKey, buyerBytes(buyerId), 1);
      return true;
    };
    const outcomes = await Promise.all(Array.from({ length: 1_000 }, buyUnsafely));
    expect(outcomes.filter(Boolean).length).toBeGreaterThan(drop.perBuyerMax);
  });
});
