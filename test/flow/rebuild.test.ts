// Redis loses data in the middle of a drop: restarted, with the end of its log cut off, or empty.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Drop } from '../../server/drops/drop.ts';
import { newBuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { dropKey, holdKey } from '../../server/platform/keys.ts';
import { EpochError } from '../../server/platform/lua-scripts.ts';
import { RebuildOvertaken } from '../../server/rebuild/rebuild.store.ts';
import type { HeldCart } from '../support/checkout-world.ts';
import { inGeneral, openEngine } from '../support/engine.ts';
import { startRebuildWorld, type RebuildWorld } from '../support/rebuild-world.ts';

let world: RebuildWorld;
beforeAll(async () => {
  world = await startRebuildWorld();
});
afterAll(() => world.dispose());

async function paid(drop: Drop): Promise<HeldCart> {
  const cart = await world.hold(drop);
  await world.confirm((await world.payable(cart)).clientSecret);
  await world.until(cart.orderId, order => order.status === 'paid' && order.dueAtMs === null);
  return cart;
}

/** Buys until nothing is left; answers how many more were held. */
async function holdAll(drop: Drop, most: number): Promise<HeldCart[]> {
  const carts: HeldCart[] = [];
  while (carts.length < most && (await world.stock(drop)).available > 0) carts.push(await world.hold(drop));
  return carts;
}

async function refusals(drop: Drop, cart: HeldCart) {
  const { holds, queue, live } = world.engine;
  const { dropId } = drop;
  const standing = inGeneral(0);
  const acts = {
    settle: holds.settle(dropId, cart.holdId),
    pay: holds.pay(dropId, cart.holdId),
    release: holds.release(dropId, cart.holdId, 'order'),
    sweep: holds.sweep(dropId),
    call: queue.call(dropId, 0),
    claim: queue.claim(dropId, cart.buyerId, standing),
    leave: queue.leave(dropId, cart.buyerId, standing),
    load: live.load(drop),
  };
  const told = Object.entries(acts).map(async ([name, act]) => {
    const outcome = act.then(
      () => 'done',
      (error: unknown) => error instanceof EpochError,
    );
    return [name, await outcome] as const;
  });
  return Object.fromEntries(await Promise.all(told));
}
const allRefused = {
  settle: true,
  pay: true,
  release: true,
  sweep: true,
  call: true,
  claim: true,
  leave: true,
  load: true,
};

describe('a drop whose Redis was emptied', () => {
  it('refuses every script, is rebuilt from orders and ledger, and sells its last unit once', async () => {
    const drop = await world.lasting(6);
    await paid(drop);
    const onTheWay = await world.hold(drop);
    const { clientSecret } = await world.payable(onTheWay);
    const unpaid = await world.hold(drop);
    await world.engine.redis.flushall();
    // Authorised, claimed and captured while Redis knows nothing: the settle is tried again later.
    await world.confirm(clientSecret);
    await world.until(onTheWay.orderId, order => order.status === 'paid');
    expect(await refusals(drop, onTheWay)).toEqual(allRefused);
    expect(await world.engine.live.look(drop.dropId)).toBeNull();

    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'rebuilt' });
    expect(await world.rebuilder()(drop.dropId)).toEqual({ kind: 'well' });
    await world.engine.live.open(drop.dropId, '');
    // The unpaid hold was known to Redis alone: its unit is on the shelf again.
    expect(await world.stock(drop)).toEqual({ available: 4, held: 0, sold: 2, total: 6 });
    expect(await world.engine.holds.find(unpaid.holdId)).toBeNull();
    await world.forward(60_000, drop);
    await world.until(onTheWay.orderId, order => order.dueAtMs === null);
    expect(await world.stock(drop)).toMatchObject({ sold: 2 });
    expect(await world.alarms()).toEqual([]);
    await world.engine.setAheadMs(drop, 0);
    expect(await holdAll(drop, 10)).toHaveLength(4);
    expect(await world.stock(drop)).toEqual({ available: 0, held: 4, sold: 2, total: 6 });
  });

  it('keeps the limit of each buyer, the hold of an order that is not paid yet, and its pass', async () => {
    const drop = await world.lasting(5, { perBuyerMax: 1 });
    const done = await paid(drop);
    const cart = await world.hold(drop);
    await world.payable(cart);
    await world.engine.redis.flushall();
    await world.rebuilder()(drop.dropId);
    await world.engine.live.open(drop.dropId, '');
    expect(await world.engine.holds.find(cart.holdId)).toMatchObject({
      state: 'paying',
      buyerId: cart.buyerId,
    });
    expect(await world.engine.holds.find(done.holdId)).toMatchObject({ state: 'settled' });
    const { redis } = world.engine;
    expect(await redis.hvals(dropKey(drop.dropId, 'bought'))).toEqual(['1', '1']);
    expect(await redis.hlen(dropKey(drop.dropId, 'passes'))).toBe(1);
    expect(await world.engine.holds.release(drop.dropId, cart.holdId, 'order')).toEqual({ kind: 'released' });
    expect(await world.stock(drop)).toEqual({ available: 4, held: 0, sold: 1, total: 5 });
  });

  it('keeps every place in the queue: who shows a ticket has it back, who comes anew stands behind', async () => {
    const drop = await world.lasting(5, { ratePerSec: 2, activeMax: 3 });
    const { queue, live, redis } = world.engine;
    const buyers = Array.from({ length: 5 }, () => newBuyerId());
    for (const buyerId of buyers) await queue.join(drop.dropId, buyerId);
    const proposal = await queue.admit(drop.dropId);
    if (proposal.kind !== 'proposed') throw new Error(proposal.why);
    const { call } = proposal;
    // Logged, and never put into effect: Redis is emptied in between.
    await world.calls.append(drop, call);
    await redis.flushall();
    await world.rebuilder()(drop.dropId);
    await live.open(drop.dropId, '');
    const { marks } = await world.epochs.ensure(drop.dropId, { general: 0, priority: 0, late: 0 });

    const back = await Promise.all(
      buyers.map((buyerId, arrival) => queue.claim(drop.dropId, buyerId, inGeneral(arrival))),
    );
    expect(back.map(({ kind }) => kind)).toEqual(
      buyers.map((_, arrival) => (arrival < call.to ? 'called' : 'waiting')),
    );
    const newcomer = await queue.join(drop.dropId, newBuyerId());
    // One of those who had a ticket and does not show it.
    expect(newcomer).toMatchObject({ kind: 'joined', arrival: marks.general });
    expect(await queue.join(drop.dropId, buyers[4] ?? newBuyerId())).toMatchObject({
      arrival: 4,
      again: true,
    });
    expect(await queue.claim(drop.dropId, newBuyerId(), inGeneral(marks.general + 5))).toEqual({
      kind: 'unknown',
    });
    await world.engine.setAheadMs(drop, 3_000);
    expect(await queue.admit(drop.dropId)).toMatchObject({ call: { seq: call.seq + 1, from: call.to } });
  });

  it('is not opened again where the shop had closed it', async () => {
    const drop = await world.lasting(5);
    await world.epochs.note(drop.dropId, { closed: true });
    await world.engine.redis.flushall();
    await world.rebuilder()(drop.dropId);
    expect(await world.engine.live.look(drop.dropId)).toMatchObject({ state: 'closed' });
  });
});

describe('a drop whose Redis was restarted', () => {
  it('keeps the holds and the passes that Redis still has', async () => {
    const drop = await world.lasting(5);
    const held = await world.hold(drop);
    const cart = await world.hold(drop);
    await world.payable(cart);
    await world.restartRedis();
    expect(await refusals(drop, cart)).toEqual(allRefused);
    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'rebuilt', holdsCount: 2 });
    expect(await world.stock(drop)).toEqual({ available: 3, held: 2, sold: 0, total: 5 });
    await world.confirm((await world.payable(held)).clientSecret);
    await world.until(held.orderId, order => order.status === 'paid' && order.dueAtMs === null);
    expect(await world.stock(drop)).toEqual({ available: 3, held: 1, sold: 1, total: 5 });
    expect(await holdAll(drop, 10)).toHaveLength(3);
  });

  it('and came back older sells no unit twice', async () => {
    const drop = await world.lasting(4);
    await paid(drop);
    const size = world.logSize();
    await paid(drop);
    await world.payable(await world.hold(drop));
    await world.restartRedis(size);
    await world.rebuilder()(drop.dropId);
    expect(await world.stock(drop)).toEqual({ available: 1, held: 1, sold: 2, total: 4 });
    expect(await holdAll(drop, 10)).toHaveLength(1);
  });

  it('would sell them twice without the comparison: the control', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-lua-'));
    cpSync(path.resolve(import.meta.dirname, '../../lua'), folder, { recursive: true });
    const blind = ['lostEpoch', 'lostEpochOf'].map(name => `local function ${name}() return nil end\n`);
    writeFileSync(path.join(folder, 'include/epoch.lua'), blind.join(''));
    const trusting = openEngine(world.redis.url, { luaFolder: folder });
    const drop = await world.lasting(4);
    await paid(drop);
    const size = world.logSize();
    await paid(drop);
    await world.payable(await world.hold(drop));
    await world.restartRedis(size);
    let again = 0;
    while ((await world.stock(drop)).available > 0) {
      await trusting.place(drop, await trusting.admitted(drop));
      again += 1;
    }
    const owned = await world.ports.ledger.countByDrop(drop.dropId);
    expect(again + (owned[0]?.claimed ?? 0) + 1, 'more than there are').toBeGreaterThan(4);
    await trusting.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('refuses another promotion of the same process, too', async () => {
    const drop = await world.lasting(2);
    const cart = await world.hold(drop);
    await world.engine.redis.set(dropKey(drop.dropId, 'server'), 'another');
    expect(await refusals(drop, cart)).toEqual(allRefused);
    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'rebuilt' });
    expect(await world.engine.holds.release(drop.dropId, cart.holdId, 'buyer')).toEqual({ kind: 'released' });
  });
});

describe('a rebuild', () => {
  it('is made by one of several processes', async () => {
    const drop = await world.lasting(8);
    for (let carts = 0; carts < 4; carts += 1) await world.payable(await world.hold(drop));
    await world.engine.redis.flushall();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 6 }, () => world.rebuilder()(drop.dropId)),
    );
    const kinds = outcomes.map(outcome =>
      outcome.status === 'fulfilled' ? outcome.value.kind : String(outcome.reason),
    );
    expect(kinds.filter(kind => kind === 'rebuilt')).toHaveLength(1);
    expect(await world.stock(drop)).toEqual({ available: 4, held: 4, sold: 0, total: 8 });
  });

  it('is finished by another where its process died, and whatever the dead one sends later is refused', async () => {
    const drop = await world.lasting(8);
    const carts = [await world.hold(drop), await world.hold(drop)];
    for (const cart of carts) await world.payable(cart);
    await world.engine.redis.flushall();
    const { rebuildStore } = world;
    const late: (() => Promise<unknown>)[] = [];
    const dying = world.rebuilder({
      store: {
        ...rebuildStore,
        end: (rebuilding, rebuilt) => {
          late.push(() => rebuildStore.end(rebuilding, rebuilt));
          return Promise.reject(new Error('killed'));
        },
      },
    });
    await expect(dying(drop.dropId)).rejects.toThrow('killed');
    expect(await world.rebuilder()(drop.dropId)).toEqual({ kind: 'busy' });
    await world.engine.setAheadMs(drop, 10_000);
    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'rebuilt' });
    expect(await world.stock(drop)).toEqual({ available: 6, held: 2, sold: 0, total: 8 });
    expect(late).toHaveLength(1);
    for (const send of late) await expect(send()).rejects.toThrow(RebuildOvertaken);
    expect(await world.engine.redis.hvals(dropKey(drop.dropId, 'bought'))).toEqual(['1', '1']);
  });

  it('asks Stripe about a payment whose order is lost, and goes on once nobody can pay it', async () => {
    const drop = await world.lasting(4);
    await paid(drop);
    const cart = await world.hold(drop);
    await world.engine.holds.pay(drop.dropId, cart.holdId);
    await world.engine.redis.set(dropKey(drop.dropId, 'server'), 'another');
    world.payments.push({ paymentId: 'pi_1', orderId: cart.orderId, isOver: false });
    expect(await world.rebuilder()(drop.dropId)).toEqual({ kind: 'blocked', paymentIds: ['pi_1'] });
    await expect(world.engine.holds.settle(drop.dropId, cart.holdId)).rejects.toThrow(EpochError);
    world.payments.splice(0, 1, { paymentId: 'pi_1', orderId: cart.orderId, isOver: true });
    await world.engine.setAheadMs(drop, 200_000);
    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'rebuilt' });
    expect(await world.order(cart.orderId)).toMatchObject({ status: 'expired' });
    expect(await world.engine.redis.hget(holdKey(drop.dropId, cart.holdId), 'state')).toBe('released');
    expect(await world.stock(drop)).toEqual({ available: 3, held: 0, sold: 1, total: 4 });
    // What the one that stopped halfway had restored is counted once.
    expect(await world.engine.redis.hvals(dropKey(drop.dropId, 'bought'))).toEqual(['1']);
  });
});

describe('a MongoDB that came back from a backup', () => {
  it('stops the drop whose captured payment it does not know, also while others buy, until the money is back', async () => {
    const drop = await world.lasting(3);
    const lost = await paid(drop);
    const other = await world.hold(drop);
    await world.payable(other);
    await world.forget(lost.orderId);
    const payment = { paymentId: 'pi_lost', orderId: lost.orderId, isOver: false };
    world.payments.push(payment);
    const reconcile = world.reconciler();
    vi.useFakeTimers({ toFake: ['performance'] });
    await reconcile(drop);
    // Somebody buys between the two looks.
    await world.hold(drop);
    vi.advanceTimersByTime(limits.reconcileMs);
    await reconcile(drop);
    vi.useRealTimers();
    await expect(world.hold(drop)).rejects.toThrow(EpochError);
    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'busy' });
    payment.isOver = true;
    expect(await world.rebuilder()(drop.dropId, true)).toMatchObject({ kind: 'busy' });
    await world.forward(2 * limits.rebuildLeaseMs, drop);
    expect(await world.rebuilder()(drop.dropId)).toMatchObject({ kind: 'rebuilt' });
    expect(await world.order(lost.orderId)).toMatchObject({ status: 'expired' });
    expect(await world.stock(drop)).toMatchObject({ available: 1, held: 2, sold: 0, total: 3 });
  });
});

describe('stock that has drifted', () => {
  async function looks(drop: Drop) {
    const reconcile = world.reconciler();
    vi.useFakeTimers({ toFake: ['performance'] });
    await reconcile(drop);
    const first = await world.stock(drop);
    vi.advanceTimersByTime(limits.reconcileMs);
    await reconcile(drop);
    vi.useRealTimers();
    return { first, second: await world.stock(drop) };
  }
  const settled = async (drop: Drop) => {
    const cart = await paid(drop);
    expect(await world.order(cart.orderId)).toMatchObject({ dueAtMs: null });
  };

  it('is put right by the second look, and left alone by the first', async () => {
    const drop = await world.lasting(5);
    await settled(drop);
    const stock = dropKey(drop.dropId, 'stock');
    for (const sku of ['sku-a', '*']) {
      await world.engine.redis.hincrby(stock, `${sku}/sold`, -1);
      await world.engine.redis.hincrby(stock, `${sku}/available`, 1);
    }
    expect(await looks(drop)).toEqual({
      first: { available: 5, held: 0, sold: 0, total: 5 },
      second: { available: 4, held: 0, sold: 1, total: 5 },
    });
  });

  it('is no drift while an order is on its way', async () => {
    const drop = await world.lasting(5);
    await world.payable(await world.hold(drop));
    const { epoch } = await world.epochs.ensure(drop.dropId, { general: 0, priority: 0, late: 0 });
    await looks(drop);
    expect(await world.epochs.ensure(drop.dropId, { general: 0, priority: 0, late: 0 })).toMatchObject({
      epoch,
    });
  });
});
