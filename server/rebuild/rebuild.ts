// Rebuilds a drop in a Redis that was restarted, promoted or emptied. Any process may do it, and another goes on where one
// died: a compare-and-set in MongoDB makes the new epoch, Redis follows the newest one alone, and whatever a rebuild has
// written is written again by the next.
//
//   begin    from here every script of the drop is refused, on whatever Redis; what they would do is tried again later
//   read     what is left, and the orders (majority): what would change either from here on is refused, and comes again.
//            Holds of orders that have ended are restored while the next orders are read: nothing else decides on them
//   restore  then the orders on their way, those first that own units, then unpaid holds that still fit; the others are
//            released
//   end      stock from the ledger, the queue from the call log and the marks; the drop belongs to this Redis
import type { Logger } from 'pino';
import { lanes, type Drop, type Lane } from '../drops/drop.ts';
import { orderIdOf, type DropId, type HoldId, type OrderId, type Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { OrderHold } from '../orders/orders.ts';
import { buyerBytes } from '../platform/keys.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { EpochsStore } from './epochs.store.ts';
import { fateOfEnded, planStock, type HoldFate } from './rebuild.rules.ts';
import {
  RebuildOvertaken,
  type LeftHold,
  type RebuildStore,
  type Rebuilding,
  type RestoredHold,
} from './rebuild.store.ts';

export type RebuildOutcome =
  | { kind: 'rebuilt'; epoch: number; holdsCount: number }
  /** Nothing to do, or somebody else is at it. */
  | { kind: 'well' | 'busy' }
  /** A payment that MongoDB does not know: an operator must settle it at Stripe. The drop stays paused. */
  | { kind: 'blocked'; paymentIds: string[] };

/** Rebuilds the drop if it needs it; `force`: also where Redis looks well and the call log says otherwise. */
export type Rebuild = (dropId: DropId, force?: boolean) => Promise<RebuildOutcome>;

interface LoggedCall {
  readonly seq: number;
  readonly atMs: number;
  readonly lane: Lane;
  readonly from: number;
  readonly to: number;
}

export interface RebuildDeps {
  readonly store: RebuildStore;
  readonly epochs: EpochsStore;
  readonly findDrop: (dropId: DropId) => Promise<Drop | null>;
  readonly dropFields: (drop: Drop) => Record<string, string>;
  readonly firstPaidShare: string;
  readonly orders: (dropId: DropId) => AsyncIterable<readonly OrderHold[]>;
  /** Those of these orders that own units in the ledger. */
  readonly ownersAmong: (orderIds: readonly OrderId[]) => Promise<ReadonlySet<OrderId>>;
  readonly calls: (dropId: DropId) => AsyncIterable<LoggedCall>;
  /** The sizes of the committed lobby's lanes; null before the freeze. */
  readonly lobby: (dropId: DropId) => Promise<readonly { lane: string; size: number }[] | null>;
  /** Asked only where Redis knows of a payment whose order is gone. */
  readonly payments: (
    drop: Drop,
  ) => Promise<
    { paymentId: string; orderId: string /** Cancelled, or all of it given back. */; isOver: boolean }[]
  >;
  /** Writes down that a hold whose order was lost has ended; again changes nothing. */
  readonly insertLost: (drop: Drop, hold: LeftHold) => Promise<void>;
  readonly clock: { now(): number };
  readonly log: Logger;
  readonly metrics: Metrics;
}

export function createRebuild(deps: RebuildDeps): Rebuild {
  const { store, epochs, findDrop, clock, log, metrics } = deps;

  return async (dropId, force = false) => {
    const found = await store.look(dropId);
    if (found === 'busy' || (found === 'well' && !force)) return { kind: found };
    const before = await epochs.ensure(dropId, await highestArrivals(deps, dropId));
    if (!(await epochs.next(dropId, before.epoch))) return { kind: 'busy' };
    const epoch = before.epoch + 1;
    const startedAt = performance.now();
    log.warn({ dropId, epoch }, 'Redis was restarted or has lost data: the drop is rebuilt');
    const rebuilding = await store.begin(dropId, epoch);
    const keep = setInterval(() => {
      // Where this fails the lease runs out, and whoever is next begins anew.
      store.begin(dropId, epoch).catch((error: unknown) => log.warn({ dropId, err: error }, 'a lease'));
    }, limits.rebuildKeepMs);
    try {
      const drop = await findDrop(dropId);
      if (!drop) throw new Error(`there is no document of ${dropId}`);
      const outcome = await restoreAll(deps, rebuilding, drop);
      metrics.outcomes.inc({ what: 'rebuild', kind: outcome.kind });
      const tookMs = Math.round(performance.now() - startedAt);
      log.info({ dropId, epoch, tookMs, ...outcome, atMs: clock.now() }, 'the rebuild has ended');
      return outcome;
    } catch (error) {
      if (!(error instanceof RebuildOvertaken)) throw error;
      return { kind: 'busy' };
    } finally {
      clearInterval(keep);
    }
  };
}

/** For a drop of a time before marks were kept: no ticket can have had more than what was called, and what Redis has. */
async function highestArrivals({ store, calls }: RebuildDeps, dropId: DropId): Promise<Record<Lane, number>> {
  const highest = { general: 0, priority: 0, late: 0 };
  const known = await store.mark(dropId, {}).catch(() => null);
  for (const lane of lanes) highest[lane] = known?.arrived[lane] ?? 0;
  for await (const { lane, to } of calls(dropId)) highest[lane] = Math.max(highest[lane], to);
  return highest;
}

async function restoreAll(deps: RebuildDeps, rebuilding: Rebuilding, drop: Drop): Promise<RebuildOutcome> {
  const { store } = deps;
  const { dropId } = drop;
  const nowMs = deps.clock.now();
  const restoring = createRestoring(store, rebuilding);

  // Of what is left in Redis, only that counts of which no order tells.
  const ids = await store.holdIds(dropId);
  const onTheirWay = new Map<HoldId, OrderHold>();
  const sold = new Map<string, number>();
  for await (const orders of deps.orders(dropId)) {
    const ended: RestoredHold[] = [];
    for (const order of orders) {
      if (isTold(order)) ids.delete(order.holdId);
      const fate = fateOfEnded(order.status);
      if (fate === null) onTheirWay.set(order.holdId, order);
      else ended.push(holdOfOrder(order, { fate, drop, nowMs }));
      for (const { sku } of fate === 'settled' ? soldUnits(order) : [])
        sold.set(sku, (sold.get(sku) ?? 0) + 1);
    }
    await restoring.add(ended);
  }

  const left = new Map((await store.leftHolds(dropId, [...ids])).map(hold => [hold.holdId, hold]));
  const orderless = [...left.values()].filter(hold => !onTheirWay.has(hold.holdId));
  const blockedBy = await settleLost(deps, drop, orderless);
  if (blockedBy.length > 0) {
    await restoring.end();
    return { kind: 'blocked', paymentIds: blockedBy };
  }

  const owners = await deps.ownersAmong([...onTheirWay.values()].map(({ orderId }) => orderId));
  const { stock, fates } = planStock({
    items: drop.items,
    sold,
    onTheirWay: [...onTheirWay.values()].map(order => ({
      holdId: order.holdId,
      status: order.status,
      lines: order.quote.lines,
      createdAtMs: order.createdAtMs,
      claimed: owners.has(order.orderId),
      extended: isTold(order) || left.get(order.holdId)?.state === 'paying',
    })),
    survivors: orderless.filter(hold => hold.state === 'held'),
  });
  for (const order of onTheirWay.values()) {
    const fate = fates.get(order.holdId) ?? 'released';
    const hold = left.get(order.holdId);
    const restored =
      fate !== 'released' && hold
        ? { ...hold, state: fate, endedAtMs: 0, unitsCount: unitsOf(hold.lines) }
        : holdOfOrder(order, { fate, drop, nowMs });
    await restoring.add([restored]);
  }
  for (const hold of orderless) {
    const state = fates.get(hold.holdId) ?? 'released';
    const unitsCount = state === 'released' ? 0 : unitsOf(hold.lines);
    await restoring.add([{ ...hold, state, endedAtMs: nowMs, unitsCount }]);
  }
  const { withHold, holdsCount } = await restoring.end();

  const queue = await queueOf(deps, drop);
  await store.end(rebuilding, {
    ...queue,
    stock,
    withHold,
    codes: drop.codes,
    callWindowMs: drop.callWindowMs,
    paidShare: deps.firstPaidShare,
  });
  return { kind: 'rebuilt', epoch: rebuilding.epoch, holdsCount };
}

/** Sends holds on in batches, one at a time: while Redis restores it, the next is read and put together. */
function createRestoring(store: RebuildStore, rebuilding: Rebuilding) {
  const waiting: RestoredHold[] = [];
  let withHold = 0;
  let holdsCount = 0;
  let underWay: Promise<void> = Promise.resolve();
  const restore = async (batch: readonly RestoredHold[]) => {
    const count = await store.restore(rebuilding, batch);
    withHold += count;
    holdsCount += batch.length;
  };
  const send = async () => {
    await underWay;
    underWay = restore(waiting.splice(0, limits.rebuildBatchCount));
    // Who sends the next one is told; where reading fails first, nobody is left to be.
    underWay.catch(() => undefined);
  };
  return {
    async add(holds: readonly RestoredHold[]): Promise<void> {
      waiting.push(...holds);
      while (waiting.length >= limits.rebuildBatchCount) await send();
    },
    /** Sends the rest, and waits for all. */
    async end(): Promise<{ withHold: number; holdsCount: number }> {
      if (waiting.length > 0) await send();
      await underWay;
      return { withHold, holdsCount };
    },
  };
}

/** False for an order whose hold may still be unpaid: its own deadline was never written down. */
function isTold(order: OrderHold): boolean {
  return order.status !== 'pending' || order.payDeadlineMs !== null;
}

function holdOfOrder(
  order: OrderHold,
  { fate, drop, nowMs }: { fate: HoldFate; drop: Drop; nowMs: number },
): RestoredHold {
  return {
    holdId: order.holdId,
    state: fate,
    buyer: buyerBytes(order.buyerId),
    lines: order.quote.lines.map(({ sku, quantity }) => ({ sku, quantity })),
    serials: order.proposed.map(({ sku, serial }) => `${sku}=${serial - 1}`).join(','),
    frozen: JSON.stringify(order.quote),
    // The hold's own end is lost with it; the buyer may have come to the till in its last moment.
    expiresAtMs: order.createdAtMs + drop.holdTtlMs,
    payDeadlineMs: order.payDeadlineMs ?? nowMs,
    endedAtMs: order.paidAtMs ?? nowMs,
    unitsCount:
      fate === 'settled' ? soldUnits(order).length : fate === 'released' ? 0 : unitsOf(order.quote.lines),
  };
}

function unitsOf(lines: readonly { quantity: number }[]): number {
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** The units of a paid order that are not back on the shelf: a return that is not written down is made again. */
function soldUnits({ serials, refunds }: OrderHold): { sku: Sku; serial: number }[] {
  const back = new Set(
    refunds
      .filter(refund => refund.restockedAtMs !== null)
      .flatMap(refund => refund.restock.map(({ sku, serial }) => `${sku}/${serial}`)),
  );
  return serials.filter(({ sku, serial }) => !back.has(`${sku}/${serial}`));
}

/**
 * A hold that is being paid, or was, and no order: MongoDB has lost data. Stripe is asked first. What nobody can pay ends
 * as an expired order; a payment that may be paid, or was captured, blocks the drop, and is named, until an operator has
 * ended it at Stripe, or the order is back.
 */
async function settleLost(deps: RebuildDeps, drop: Drop, orderless: readonly LeftHold[]): Promise<string[]> {
  const paying = orderless.filter(hold => hold.state !== 'held');
  if (paying.length === 0) return [];
  const payments = await deps.payments(drop);
  const open = paying.flatMap(({ holdId }) =>
    payments.filter(({ orderId, isOver }) => orderId === orderIdOf(holdId) && !isOver),
  );
  for (const { paymentId, orderId } of open) {
    deps.metrics.alarms.inc({ what: 'payment-without-order' });
    deps.log.error(
      { dropId: drop.dropId, orderId, paymentId, alarm: 'payment-without-order' },
      'the drop stays paused: this payment has no order in MongoDB. Restore the order, or cancel the payment at Stripe, or give it back',
    );
  }
  if (open.length > 0) return open.map(({ paymentId }) => paymentId);
  for (const hold of paying) await deps.insertLost(drop, hold);
  return [];
}

/** The queue as log, marks and commitment have it, and what an operator had done. */
async function queueOf(deps: RebuildDeps, drop: Drop) {
  const { epochs, clock } = deps;
  const { dropId } = drop;
  const serving = { general: 0, priority: 0, late: 0 };
  const recentMs = clock.now() - drop.callWindowMs - drop.passTtlMs;
  const calls: { seq: number; lane: number; from: number; to: number }[] = [];
  let seq = 0;
  let firstCallMs: number | null = null;
  for await (const call of deps.calls(dropId)) {
    seq = call.seq + 1;
    firstCallMs ??= call.atMs;
    serving[call.lane] = Math.max(serving[call.lane], call.to);
    const { from, to } = call;
    if (call.atMs >= recentMs) calls.push({ seq: call.seq, lane: lanes.indexOf(call.lane), from, to });
  }
  const { marks, opensAtMs, paused, closed } = await epochs.ensure(dropId, serving);
  const lobby = await deps.lobby(dropId);
  const fields = deps.dropFields(drop);
  // Opened early by an operator, or open already since somebody was called.
  const openedAtMs = Math.min(drop.opensAtMs, opensAtMs ?? drop.opensAtMs, firstCallMs ?? drop.opensAtMs);
  return {
    fields: {
      ...fields,
      opensAtMs: String(openedAtMs),
      lobbyOpensAtMs: String(Math.min(drop.lobbyOpensAtMs, openedAtMs)),
    },
    lanes: lanes.map(lane => {
      const size = lobby?.find(candidate => candidate.lane === lane)?.size;
      return {
        lane,
        mark: Math.max(marks[lane], serving[lane]),
        serving: serving[lane],
        ...(size === undefined ? {} : { lobby: size }),
      };
    }),
    calls,
    seq,
    paused,
    closed,
    frozen: lobby !== null,
  };
}
