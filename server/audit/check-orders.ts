// Invariants 2, 3 and 4: no unit is sold twice, no payment is captured without its units, no paid order is lost, and
// Stripe's books are the orders' books. Orders and units are read side by side in the order of their ids, so that
// memory does not grow with them; of payments, a few words each are kept.
import type { Finding } from './finding.ts';

export interface AuditOrder {
  readonly orderId: string;
  readonly holdId: string;
  readonly dropId: string;
  readonly status: string;
  readonly totalAmount: number;
  readonly refundedAmount: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
  readonly serials: readonly { readonly sku: string; readonly serial: number }[];
  /** Those of its serials that a refund has put back on the shelf. */
  readonly restocked: readonly { readonly sku: string; readonly serial: number }[];
  readonly intentId: string | null;
  /** True once an unpaid end has given everything back. */
  readonly released: boolean;
}

export interface AuditUnit {
  readonly unitId: string;
  readonly dropId: string;
  readonly sku: string;
  readonly serial: number;
  readonly orderId: string;
  readonly slot: string;
}

export interface AuditPayment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly status: string;
  readonly capturedAmount: number;
  readonly refundedAmount: number;
}

export interface OrdersSource {
  /** By id, ascending. */
  orders(): AsyncIterable<AuditOrder>;
  /** Units that some order owns, by order and slot, ascending. */
  ownedUnits(): AsyncIterable<AuditUnit>;
  /** Every payment that names an order of ours. */
  payments(): AsyncIterable<AuditPayment>;
}

const paidStatuses: ReadonlySet<string> = new Set(['paid', 'fulfilled', 'refunded']);
const unpaidEnds: ReadonlySet<string> = new Set(['cancelled', 'expired']);

export async function checkOrders(
  source: OrdersSource,
  report: (finding: Finding) => void,
): Promise<{
  ordersCount: number;
  unitsCount: number;
  paymentsCount: number;
  /** Units of paid orders, by `drop/sku`. */
  soldUnits: Map<string, number>;
}> {
  const soldUnits = new Map<string, number>();
  const holds = new Set<string>();
  const { byOrder, paymentsCount } = await readPayments(source);
  const units = groupByOrder(source.ownedUnits())[Symbol.asyncIterator]();
  let group = await units.next();
  let ordersCount = 0;
  let unitsCount = 0;

  const ownerless = (owned: readonly AuditUnit[]) => {
    for (const unit of owned) {
      report({
        invariant: 2,
        document: unit.unitId,
        what: `belongs to ${unit.orderId}, which does not exist`,
      });
    }
  };
  for await (const order of source.orders()) {
    ordersCount += 1;
    while (!group.done && group.value.orderId < order.orderId) {
      unitsCount += group.value.units.length;
      ownerless(group.value.units);
      group = await units.next();
    }
    let owned: readonly AuditUnit[] = [];
    if (!group.done && group.value.orderId === order.orderId) {
      owned = group.value.units;
      unitsCount += owned.length;
      group = await units.next();
    }
    if (holds.has(order.holdId)) {
      report({ invariant: 4, document: order.orderId, what: `is a second order of hold ${order.holdId}` });
    }
    holds.add(order.holdId);
    checkUnits(order, owned, report);
    checkMoney(order, byOrder.get(order.orderId) ?? [], report);
    byOrder.delete(order.orderId);
    if (!paidStatuses.has(order.status)) continue;
    for (const unit of owned) {
      const key = `${unit.dropId}/${unit.sku}`;
      soldUnits.set(key, (soldUnits.get(key) ?? 0) + 1);
    }
  }
  for (; !group.done; group = await units.next()) {
    unitsCount += group.value.units.length;
    ownerless(group.value.units);
  }
  for (const payment of [...byOrder.values()].flat()) {
    if (payment.capturedAmount > payment.refundedAmount) {
      const what = `is captured for ${payment.orderId}, which does not exist`;
      report({ invariant: 3, document: payment.paymentId, what });
    }
  }
  return { ordersCount, unitsCount, paymentsCount, soldUnits };
}

function checkUnits(
  order: AuditOrder,
  owned: readonly AuditUnit[],
  report: (finding: Finding) => void,
): void {
  const wrong = (document: string, what: string) => report({ invariant: 2, document, what });
  const slots = new Set<string>();
  for (const unit of owned) {
    if (unit.unitId !== `${unit.dropId}/${unit.sku}/${unit.serial}`)
      wrong(unit.unitId, 'is not named after its unit');
    if (unit.dropId !== order.dropId)
      wrong(unit.unitId, `belongs to ${order.orderId}, an order of another drop`);
    if (slots.has(unit.slot))
      wrong(unit.unitId, `is a second unit for slot ${unit.slot} of ${order.orderId}`);
    slots.add(unit.slot);
  }
  if (unpaidEnds.has(order.status) && order.released && owned.length > 0) {
    wrong(order.orderId, `is ${order.status} and still owns ${owned.length} units`);
  }
  if (!paidStatuses.has(order.status)) return;
  const wanted = order.lines.flatMap(line => Array.from({ length: line.quantity }, () => line.sku));
  const got = [...owned, ...order.restocked].map(unit => unit.sku);
  if (wanted.toSorted().join() !== got.toSorted().join()) {
    report({
      invariant: 3,
      document: order.orderId,
      what: `is ${order.status} for ${wanted.length} units and owns ${owned.length}`,
    });
  }
  const back = new Set(order.restocked.map(unit => `${unit.sku}/${unit.serial}`));
  const told = order.serials
    .map(unit => `${unit.sku}/${unit.serial}`)
    .filter(unit => !back.has(unit))
    .toSorted();
  const stand = owned.map(unit => `${unit.sku}/${unit.serial}`).toSorted();
  if (told.join() !== stand.join()) wrong(order.orderId, 'tells its buyer other serials than the ledger');
}

function checkMoney(
  order: AuditOrder,
  payments: readonly AuditPayment[],
  report: (finding: Finding) => void,
): void {
  const wrong = (invariant: 3 | 4, what: string) => report({ invariant, document: order.orderId, what });
  const live = payments.filter(payment => payment.status !== 'canceled');
  const captured = payments.filter(payment => payment.capturedAmount > 0);
  if (live.length > 1) wrong(4, `has ${live.length} payments that are not cancelled`);
  if (captured.length > 1) wrong(4, `is captured ${captured.length} times`);
  const capturedAmount = captured.reduce((sum, payment) => sum + payment.capturedAmount, 0);
  const refundedAmount = payments.reduce((sum, payment) => sum + payment.refundedAmount, 0);
  if (paidStatuses.has(order.status)) {
    if (capturedAmount !== order.totalAmount) {
      wrong(3, `is ${order.status} over ${order.totalAmount}, and ${capturedAmount} was captured`);
    }
    if (refundedAmount !== order.refundedAmount) {
      wrong(3, `has ${order.refundedAmount} refunded in its books, and Stripe has ${refundedAmount}`);
    }
    return;
  }
  const kept = capturedAmount - refundedAmount;
  if (kept > 0) wrong(3, `is ${order.status}, and ${kept} was captured and kept`);
  if (unpaidEnds.has(order.status) && live.some(payment => payment.status === 'requires_capture')) {
    wrong(3, `is ${order.status}, and an authorisation is still open`);
  }
}

async function readPayments(source: OrdersSource) {
  const byOrder = new Map<string, AuditPayment[]>();
  let paymentsCount = 0;
  for await (const payment of source.payments()) {
    paymentsCount += 1;
    const others = byOrder.get(payment.orderId);
    if (others) others.push(payment);
    else byOrder.set(payment.orderId, [payment]);
  }
  return { byOrder, paymentsCount };
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
