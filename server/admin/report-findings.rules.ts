// What breaks an invariant in a drop's books. While the drop runs, its books are read one after the other and each is a
// little older than the next: what happened since the reading began is then left to the next report.
import { endedUnpaid } from '../orders/order.rules.ts';
import type { BookedOrder } from './report-books.ts';
import { isPaid, promisedOf, unitName, type DropBooks } from './report-counted.rules.ts';
import type { DropReport, Finding } from './report-output.ts';

export interface Counted extends DropBooks {
  readonly orderById: ReadonlyMap<string, BookedOrder>;
  readonly paidOrders: readonly BookedOrder[];
  readonly items: DropReport['items'];
  readonly atRest: boolean;
}
type Find = (invariant: number, what: string, subject: string) => void;
type IsOlder = (atMs: number | null) => boolean;

export function findViolations(counted: Counted): Finding[] {
  const findings: Finding[] = [];
  const find: Find = (invariant, what, subject) => findings.push({ invariant, what, subject });
  const isOlder: IsOlder = atMs => atMs !== null && atMs < counted.startedAtMs;
  findInStock(counted, find);
  findInUnits(counted, isOlder, find);
  findInPayments(counted, isOlder, find);
  findInOrders(counted, isOlder, find);
  findInCalls(counted, find);
  return findings;
}

function findInStock({ drop, items, atRest }: Counted, find: Find): void {
  if (!drop.isLoaded) return;
  for (const { sku, total, redis, units } of items) {
    if (units.total !== total) find(2, `the ledger has ${units.total} units of ${total}`, sku);
    if (!redis) continue;
    if (promisedOf(redis) !== redis.total || redis.total !== total) {
      const { available, held, sold, withdrawn } = redis;
      find(
        1,
        `${available} available + ${held} held + ${sold} sold + ${withdrawn} withdrawn ≠ ${total}`,
        sku,
      );
    }
    if (Math.min(redis.available, redis.held, redis.sold, redis.withdrawn) < 0)
      find(1, 'a count is negative', sku);
    if (atRest && redis.sold !== units.paid) {
      find(1, `Redis counts ${redis.sold} sold, the ledger ${units.paid}`, sku);
    }
  }
}

function findInUnits({ drop, ownedUnits, orders, orderById }: Counted, isOlder: IsOlder, find: Find): void {
  const totals = new Map<string, number>(drop.items.map(item => [item.sku, item.total]));
  const ownersByUnit = new Map<string, Set<string>>();
  const own = (unit: { sku: string; serial: number }, orderId: string) => {
    const name = unitName(unit);
    ownersByUnit.set(name, (ownersByUnit.get(name) ?? new Set()).add(orderId));
  };
  for (const unit of ownedUnits) {
    const order = orderById.get(unit.order);
    own(unit, unit.order);
    if (unit.serial < 1 || unit.serial > (totals.get(unit.sku) ?? 0))
      find(2, 'a serial beyond the stock', unitName(unit));
    if (!order) find(2, `belongs to ${unit.order}, which there is not`, unitName(unit));
    else if (endedUnpaid(order.status) && isOlder(order.releasedAtMs))
      find(2, `belongs to ${unit.order}, which ended unpaid`, unitName(unit));
  }
  for (const order of orders) {
    if (!isPaid(order)) continue;
    for (const unit of order.serials) own(unit, order.orderId);
    const quantity = order.quote.lines.reduce((total, line) => total + line.quantity, 0);
    const named = [...order.serials, ...order.restocked].map(unitName);
    if (new Set(named).size !== quantity)
      find(2, `paid for ${quantity} units and names ${named.length}`, order.orderId);
  }
  for (const [name, owners] of ownersByUnit) {
    if (owners.size > 1) find(2, `is sold to ${[...owners].join(' and ')}`, name);
  }
  const owned = new Set(ownedUnits.map(unit => `${unit.order}/${unitName(unit)}`));
  for (const order of orders) {
    if ((order.status !== 'paid' && order.status !== 'fulfilled') || !isOlder(order.paidAtMs)) continue;
    const missing = order.serials.filter(unit => !owned.has(`${order.orderId}/${unitName(unit)}`));
    if (missing.length > 0)
      find(2, `names ${missing.map(unitName).join(', ')}, which the ledger does not give it`, order.orderId);
  }
}

function findInPayments({ orderById, payments }: Counted, isOlder: IsOlder, find: Find): void {
  if (!payments) return;
  const byOrder = new Map<string, string>();
  for (const payment of payments) {
    const { paymentId, orderId, status, receivedAmount, refundedAmount } = payment;
    const order = orderById.get(orderId);
    const earlier = byOrder.get(orderId);
    if (earlier) find(4, `is the second payment of ${orderId}, after ${earlier}`, paymentId);
    byOrder.set(orderId, paymentId);
    const kept = receivedAmount - refundedAmount;
    if (!order) {
      if (kept > 0) find(3, 'was captured for an order that there is not', paymentId);
    } else if (endedUnpaid(order.status) && isOlder(order.endedAtMs)) {
      if (kept > 0) find(3, `was captured, and ${orderId} ended unpaid`, paymentId);
      if (status === 'requires_capture')
        find(3, `is still authorised, and ${orderId} ended unpaid`, paymentId);
    } else if (kept > 0 && !endedUnpaid(order.status) && order.serials.length === 0)
      find(3, `was captured before ${orderId} had units`, paymentId);
  }
}

function findInOrders({ paidOrders, payments }: Counted, isOlder: IsOlder, find: Find): void {
  if (!payments) return;
  const byOrder = new Map(payments.map(payment => [payment.orderId, payment]));
  for (const { orderId, quote, intent, paidAtMs } of paidOrders) {
    if (!isOlder(paidAtMs)) continue;
    if (!intent) {
      if (quote.totalAmount > 0) find(3, 'is paid without a payment', orderId);
      continue;
    }
    const payment = byOrder.get(orderId);
    if (payment?.status !== 'succeeded')
      find(3, `is paid, its payment is ${payment?.status ?? 'unknown to Stripe'}`, orderId);
    else if (payment.receivedAmount !== quote.totalAmount || payment.currency !== quote.currency) {
      find(
        3,
        `costs ${quote.totalAmount} ${quote.currency}, captured were ${payment.receivedAmount} ${payment.currency}`,
        orderId,
      );
    }
  }
}

function findInCalls({ drop, view, calls }: Counted, find: Find): void {
  if (calls.inversions > 0) find(7, `${calls.inversions} ranks were called after a higher one`, drop.dropId);
  if (calls.skippedCount > 0) find(7, `${calls.skippedCount} ranks were passed over`, drop.dropId);
  if (calls.brokenLinks > 0)
    find(7, `${calls.brokenLinks} entries of the call log do not follow from the one before`, drop.dropId);
  for (const { lane, serving } of view?.lanes ?? []) {
    const called = calls.calledByLane.get(lane) ?? 0;
    // The log is written before a call takes effect, so it may be one step ahead, never behind.
    if (serving > called)
      find(7, `serving is ${serving}, the log has called ${called}`, `${drop.dropId}/${lane}`);
  }
}
