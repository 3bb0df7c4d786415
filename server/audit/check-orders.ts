// Orders with their units, payments and holds: invariants 2, 3, 4, 9, 10, 11 and 13. Orders and units are read side by side
// in the order of their ids, payments and holds are found in the spool, so that memory does not grow with any of them.
import type { AuditOrder, AuditSources, AuditUnit } from './audit-sources.ts';
import { checkOrder, isPaidOrder } from './check-order.ts';
import { checkPrices } from './check-prices.ts';
import type { ReportFinding } from './finding.ts';
import { unitsIn, type Spool } from './spool.ts';

/** Rows that are put into the spool at once. */
const batchCount = 500;

export async function checkOrders(
  sources: AuditSources,
  spool: Spool,
  report: ReportFinding,
): Promise<{
  ordersCount: number;
  unitsCount: number;
  paymentsCount: number;
  holdsCount: number;
  /** Units of paid orders, by `drop/sku`. */
  soldUnits: Map<string, number>;
}> {
  const paymentsCount = await fill(sources.payments(), batch => spool.addPayments(batch));
  const holdsCount = await fill(sources.holds(), batch => spool.addHolds(batch));
  const fallingPrices = await sources.fallingPrices();
  const soldUnits = new Map<string, number>();
  const units = groupByOrder(sources.ownedUnits())[Symbol.asyncIterator]();
  let group = await units.next();
  let ordersCount = 0;
  let unitsCount = 0;
  const ownerless = (owned: readonly AuditUnit[]) => {
    unitsCount += owned.length;
    for (const { unitId, orderId } of owned)
      report({ invariant: 2, document: unitId, what: `belongs to ${orderId}, which does not exist` });
  };

  for await (const order of sources.orders()) {
    ordersCount += 1;
    for (; !group.done && group.value.orderId < order.orderId; group = await units.next())
      ownerless(group.value.units);
    let owned: readonly AuditUnit[] = [];
    if (!group.done && group.value.orderId === order.orderId) {
      owned = group.value.units;
      unitsCount += owned.length;
      group = await units.next();
    }
    const payments = spool.takePayments(order.orderId);
    const hold = spool.takeHold(order.holdId);
    checkOrder({ order, owned, payments, hold, nowMs: sources.nowMs() }, report);
    const prices = fallingPrices.get(order.dropId);
    if (prices) checkPrices(order, prices, report);
    if (!isPaidOrder(order)) continue;
    const { coupon: code, orderId, holdId, buyerId } = order;
    if (code !== null) spool.addCouponUse({ code, orderId, holdId, buyerId });
    for (const unit of owned) {
      const key = `${unit.dropId}/${unit.sku}`;
      soldUnits.set(key, (soldUnits.get(key) ?? 0) + 1);
    }
    // While its hold is live its units are counted with that.
    const isLive = hold?.state === 'held' || hold?.state === 'paying';
    if (!isLive) spool.addToBuyer(order.dropId, order.buyerId, owned.length);
    addToCard(spool, order, owned.length);
  }
  for (; !group.done; group = await units.next()) ownerless(group.value.units);
  reportUnmet(spool, report);
  for (const hold of spool.liveHolds()) spool.addToBuyer(hold.dropId, hold.buyerId, unitsIn(hold.lines));
  return { ordersCount, unitsCount, paymentsCount, holdsCount, soldUnits };
}

function addToCard(spool: Spool, { dropId, card, perCardMax }: AuditOrder, unitsCount: number): void {
  if (card !== null && perCardMax !== null) spool.addToCard(`${dropId}/${card}`, unitsCount, perCardMax);
}

/** Payments and holds whose orders do not exist. */
function reportUnmet(spool: Spool, report: ReportFinding): void {
  for (const { paymentId, orderId, status, capturedAmount, refundedAmount } of spool.unmetPayments()) {
    if (capturedAmount > refundedAmount) {
      const what = `is captured for ${orderId}, which does not exist`;
      report({ invariant: 3, document: paymentId, what });
    } else if (status === 'requires_capture' || status === 'processing') {
      const what = `is ${status} for ${orderId}, which does not exist (any more)`;
      report({ invariant: 9, document: paymentId, what });
    }
  }
  // A hold is paid and settled by its order alone, which is written first.
  for (const { holdId, state } of spool.unmetHolds()) {
    if (state !== 'paying' && state !== 'settled') continue;
    report({ invariant: 9, document: holdId, what: `is ${state}, and its order does not exist (any more)` });
  }
}

async function fill<T>(items: AsyncIterable<T>, add: (batch: T[]) => void): Promise<number> {
  let count = 0;
  let batch: T[] = [];
  for await (const item of items) {
    batch.push(item);
    count += 1;
    if (batch.length < batchCount) continue;
    add(batch);
    batch = [];
  }
  add(batch);
  return count;
}

async function* groupByOrder(
  units: AsyncIterable<AuditUnit>,
): AsyncGenerator<{ orderId: string; units: AuditUnit[] }> {
  let group: { orderId: string; units: AuditUnit[] } | null = null;
  for await (const unit of units) {
    if (group && group.orderId === unit.orderId) {
      group.units.push(unit);
      continue;
    }
    if (group) yield group;
    group = { orderId: unit.orderId, units: [unit] };
  }
  if (group) yield group;
}
