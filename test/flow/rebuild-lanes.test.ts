// What a rebuild brings back of a queue with more than one lane, and of units that were sold and came back.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import type { Drop, Lane } from '../../server/drops/drop.ts';
import { newBuyerId, refundIdSchema, type BuyerId } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { dropKey } from '../../server/platform/keys.ts';
import type { Standing } from '../../server/queue/queue.store.ts';
import type { RebuildDeps } from '../../server/rebuild/rebuild.ts';
import type { HeldCart } from '../support/checkout-world.ts';
import { startRebuildWorld, type RebuildWorld } from '../support/rebuild-world.ts';

let world: RebuildWorld;
beforeAll(async () => {
  world = await startRebuildWorld();
});
afterAll(() => world.dispose());

const lobbyKey = Buffer.alloc(32, 7).toString('base64url');
const codeUses = 3;
const noArrivals = { general: 0, priority: 0, late: 0 };

interface Person {
  readonly buyerId: BuyerId;
  lane: Lane;
  arrival: number;
}

describe('a shuffled drop with a code and a late lane, whose Redis was emptied', () => {
  let drop: Drop;
  let people: Person[];
  let sizes: { lane: Lane; size: number }[];
  let marks: Record<Lane, number>;
  const standing = ({ lane, arrival }: Person): Standing => {
    const size = sizes.find(each => each.lane === lane)?.size ?? 0;
    const rank = lobbyRanks({ key: lobbyKey, lane, size })(arrival);
    return { lane, arrival, rank };
  };
  const claim = (person: Person) => world.engine.queue.claim(drop.dropId, person.buyerId, standing(person));
  const lanesOf = async () => {
    const view = await world.engine.live.look(drop.dropId);
    return (view?.lanes ?? []).map(({ lane, serving, lobbySize }) => ({ lane, serving, lobbySize }));
  };
  /** Calls whoever may be called, by the public log. */
  const call = async () => {
    const proposal = await world.engine.queue.admit(drop.dropId);
    if (proposal.kind !== 'proposed') return null;
    await world.calls.append(drop, proposal.call);
    await world.engine.queue.call(drop.dropId, proposal.call.seq);
    return proposal.call;
  };
  const lose = async () => {
    await world.engine.redis.flushall();
    // The test's clock was in it, too.
    await world.forward(0, drop);
  };
  const open = async () => {
    await world.engine.live.open(drop.dropId, '');
    await world.engine.live.open(drop.dropId, lobbyKey);
  };

  beforeAll(async () => {
    const opensAtMs = world.clock.now() + 30_000;
    drop = await world.lasting(9, {
      mode: 'shuffle',
      opensAtMs,
      ratePerSec: 1,
      activeMax: 3,
      codes: [{ hash: 'code', maxUses: codeUses }],
    });
    people = [];
    for (const codes of [[], [], [], [], ['code'], ['code']]) {
      const buyerId = newBuyerId();
      const joined = await world.engine.queue.join(drop.dropId, buyerId, { codes });
      if (joined.kind !== 'joined') throw new Error(joined.kind);
      people.push({ buyerId, lane: joined.lane, arrival: joined.arrival });
    }
    await world.forward(29_500, drop);
    await world.engine.live.open(drop.dropId, '');
    await world.forward(2_000, drop);
    await open();
    // At the opening nobody may be called yet: the rate gives one call a second.
    await world.forward(1_500, drop);
    sizes = (await lanesOf()).map(({ lane, lobbySize }) => ({ lane, size: lobbySize }));
    // The first one who is called does not come in time, and stands in the late lane.
    const first = await call();
    const late = people.find(({ lane, arrival }) => {
      const { rank } = standing({ buyerId: newBuyerId(), lane, arrival });
      return lane === first?.lane && rank !== null && first.from <= rank && rank < first.to;
    });
    if (!late) throw new Error('nobody was called');
    await world.forward(drop.callWindowMs + 1_000, drop);
    const moved = await claim(late);
    if (moved.kind !== 'moved') throw new Error(moved.kind);
    late.lane = moved.lane;
    late.arrival = moved.arrival;
    await call();
  });

  it('has the lobby that was committed, serves on where its log ends, and knows every ticket by its lane', async () => {
    expect(sizes).toEqual([
      { lane: 'general', size: 4 },
      { lane: 'priority', size: 2 },
      { lane: 'late', size: 0 },
    ]);
    const before = await lanesOf();
    marks = (await world.epochs.ensure(drop.dropId, noArrivals)).marks;
    await lose();
    const committed: Partial<RebuildDeps> = { lobby: () => Promise.resolve(sizes) };
    expect(await world.rebuilder(committed)(drop.dropId)).toMatchObject({ kind: 'rebuilt' });
    await open();
    expect(await lanesOf()).toEqual(before);

    const serving = new Map<string, number>(before.map(each => [each.lane, each.serving]));
    for (const person of people) {
      const { rank } = standing(person);
      const isCalled = rank !== null && rank < (serving.get(person.lane) ?? 0);
      // Whoever was called has the window anew, since the pass is lost with Redis; the others wait as before.
      expect(await claim(person)).toMatchObject({ kind: isCalled ? 'called' : 'waiting' });
    }
    expect(people.filter(({ lane }) => lane === 'late')).toHaveLength(1);
  });

  it('gives no code more uses than it has, and nobody who comes anew a place that somebody may have', async () => {
    const used = people.filter(({ lane }) => lane === 'priority').length;
    const joined = [];
    for (let tries = 0; tries < codeUses + 1; tries += 1)
      joined.push(await world.engine.queue.join(drop.dropId, newBuyerId(), { codes: ['code'] }));
    const placed = joined.filter(each => each.kind === 'joined' && each.lane === 'priority');
    expect(placed.length + used).toBeLessThanOrEqual(codeUses);
    expect(await world.engine.queue.join(drop.dropId, newBuyerId())).toMatchObject({
      kind: 'joined',
      lane: 'general',
      arrival: marks.general,
    });
  });

  it('would give others the ranks of those who wait, without the committed lobby: the control', async () => {
    const before = await lanesOf();
    await lose();
    await world.rebuilder()(drop.dropId);
    await open();
    expect(await lanesOf()).not.toEqual(before);
  });
});

describe('a unit that a refund has put back', () => {
  async function paid(drop: Drop): Promise<HeldCart> {
    const cart = await world.hold(drop);
    await world.confirm((await world.payable(cart)).clientSecret);
    await world.until(cart.orderId, order => order.status === 'paid' && order.dueAtMs === null);
    return cart;
  }
  const refundId = refundIdSchema.parse('all');
  const bought = (drop: Drop) => world.engine.redis.hvals(dropKey(drop.dropId, 'bought'));

  it('is on the shelf after a rebuild, once, and counts against no buyer', async () => {
    const drop = await world.lasting(3);
    const back = await paid(drop);
    await paid(drop);
    await world.refund({ orderId: back.orderId, refundId, restock: true });
    await world.until(back.orderId, order => order.dueAtMs === null);
    const before = await world.stock(drop);
    expect(before).toEqual({ available: 2, held: 0, sold: 1, total: 3 });
    await world.engine.redis.flushall();
    await world.rebuilder()(drop.dropId);
    expect(await world.stock(drop)).toEqual(before);
    expect(await bought(drop)).toEqual(['1']);
    // Asked for again, it is the same refund.
    await world.refund({ orderId: back.orderId, refundId, restock: true });
    expect(await world.stock(drop)).toEqual(before);
  });

  it('would stay sold, if the rebuild did not read what was given back: the control', async () => {
    const drop = await world.lasting(3);
    const back = await paid(drop);
    await world.refund({ orderId: back.orderId, refundId, restock: true });
    await world.until(back.orderId, order => order.dueAtMs === null);
    await world.engine.redis.flushall();
    async function* withoutRefunds() {
      for await (const orders of world.ports.ordersStore.holdsOfDrop(drop.dropId))
        yield orders.map(order => ({ ...order, refunds: [] }));
    }
    await world.rebuilder({ orders: withoutRefunds })(drop.dropId);
    expect(await world.stock(drop)).toMatchObject({ sold: 1 });
    // The second look of the reconciliation sees it, and the gauge says so until it is put right.
    const reconcile = world.reconciler();
    vi.useFakeTimers({ toFake: ['performance'] });
    await reconcile(drop);
    const gauge = async () => (await world.rebuildMetrics.stockDrift.get()).values;
    expect(await gauge()).toContainEqual(
      expect.objectContaining({ labels: { drop: drop.dropId }, value: 1 }),
    );
    vi.advanceTimersByTime(limits.reconcileMs);
    await reconcile(drop);
    vi.advanceTimersByTime(limits.reconcileMs);
    await reconcile(drop);
    vi.useRealTimers();
    expect(await world.stock(drop)).toEqual({ available: 3, held: 0, sold: 0, total: 3 });
    expect(await gauge()).toContainEqual(
      expect.objectContaining({ labels: { drop: drop.dropId }, value: 0 }),
    );
  });

  it('is put back after a rebuild where Redis was lost between the ledger and the shelf', async () => {
    const drop = await world.lasting(3);
    const back = await paid(drop);
    const cut = world.open({
      holds: { ...world.ports.holds, returnUnits: () => Promise.reject(new Error('Redis is gone')) },
    });
    await cut.refund({ orderId: back.orderId, refundId, restock: true });
    expect(await world.ports.ledger.serialsOf(back.orderId)).toEqual([]);
    await world.engine.redis.flushall();
    await world.rebuilder()(drop.dropId);
    await world.forward(60_000, drop);
    await world.until(back.orderId, order => order.dueAtMs === null);
    expect(await world.stock(drop)).toEqual({ available: 3, held: 0, sold: 0, total: 3 });
    expect(await bought(drop)).toEqual([]);
    expect(await world.alarms()).toEqual([]);
  });
});
