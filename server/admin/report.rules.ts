// Holds a drop's books against each other: orders, units, payments, Redis and the call log, each counted on its own.
// Pure arithmetic, so that a test can doctor any of them and see that it is noticed.
import { stageOf, wasPaid, endedUnpaid, type OrderStatus } from '../orders/order.rules.ts';
import type { BookedOrder } from './report-books.ts';
import { isPaid, promisedOf, unitName, type DropBooks } from './report-counted.rules.ts';
import { findViolations } from './report-findings.rules.ts';
import type { DropReport } from './report-output.ts';
import type { DropPayment } from './report-payments.ts';

const findingsShownMax = 100;

export function reckonDrop(books: DropBooks): DropReport {
  const { drop, view, orders, payments, calls } = books;
  const orderById = new Map(orders.map(order => [order.orderId, order]));
  const paidOrders = orders.filter(order => wasPaid(order.status));
  const items = reckonItems(books, orderById, paidOrders);
  const underWay = findUnderWay(books);
  const findings = findViolations({ ...books, orderById, paidOrders, items, atRest: underWay.length === 0 });

  const sum = <T>(all: readonly T[], of: (each: T) => number) =>
    all.reduce((total, each) => total + of(each), 0);
  const paidUnits = books.ownedUnits.filter(unit => isPaid(orderById.get(unit.order)));
  const mentions = paidOrders.flatMap(order => order.serials.map(unitName));
  return {
    dropId: drop.dropId,
    state: view?.state ?? 'unknown',
    mode: drop.mode,
    seedHash: drop.seedHash,
    createdAtMs: drop.createdAtMs,
    soldOutAtMs: view?.soldOutAtMs ?? null,
    countedAtMs: books.countedAtMs,
    currency: drop.currency,
    atRest: underWay.length === 0,
    underWay,
    stock: sum(drop.items, item => item.total - item.withdrawn),
    sold: sum(items, item => item.ordered),
    oversold:
      sum(items, item => Math.max(0, item.ordered - item.total)) +
      sum(items, item => Math.max(0, promisedOf(item.redis) - item.total)) +
      (mentions.length - new Set(mentions).size),
    unitsDistinct: new Set(paidUnits.map(unitName)).size,
    ordersPaid: paidOrders.length,
    turnedAway: orders.filter(order => endedUnpaid(order.status) && order.reason === 'sold-out').length,
    capturedMinor: payments && sum(payments, each => each.receivedAmount - each.refundedAmount),
    expectedMinor: sum(paidOrders, order => order.quote.totalAmount - order.refundedAmount),
    paidLate: payments && payments.filter(each => isPaidLate(each, orderById, items)).length,
    inversions: calls.inversions,
    items,
    orders: countBy(orders, order => order.status),
    payments: payments && {
      byStatus: countBy(payments, each => each.status),
      receivedMinor: sum(payments, each => each.receivedAmount),
      refundedMinor: sum(payments, each => each.refundedAmount),
    },
    lanes: (view?.lanes ?? []).map(lane => ({ ...lane, called: calls.calledByLane.get(lane.lane) ?? 0 })),
    calls: {
      entriesCount: calls.entriesCount,
      calledCount: calls.calledCount,
      skippedCount: calls.skippedCount,
      brokenLinks: calls.brokenLinks,
      ...(books.entries ? { entries: books.entries } : {}),
    },
    findings: findings.slice(0, findingsShownMax),
    findingsCount: findings.length,
  };
}

type Items = DropReport['items'];

function reckonItems(
  books: DropBooks,
  orderById: ReadonlyMap<string, BookedOrder>,
  paidOrders: readonly BookedOrder[],
): Items {
  const ordered = new Map<string, number>();
  for (const { sku, quantity } of paidOrders.flatMap(order => order.quote.lines)) {
    ordered.set(sku, (ordered.get(sku) ?? 0) + quantity);
  }
  // What was sent back is for somebody else to buy.
  for (const { sku } of paidOrders.flatMap(order => order.restocked))
    ordered.set(sku, (ordered.get(sku) ?? 0) - 1);
  return books.drop.items.map(({ sku, total, withdrawn }) => {
    const owned = books.ownedUnits.filter(unit => unit.sku === sku);
    return {
      sku,
      total,
      withdrawn,
      redis: books.view?.stock.find(stock => stock.sku === sku) ?? null,
      units: {
        total: books.unitTotals.get(sku) ?? 0,
        owned: owned.length,
        paid: owned.filter(unit => isPaid(orderById.get(unit.order))).length,
      },
      ordered: ordered.get(sku) ?? 0,
    };
  });
}

/** Why the books cannot be held against each other yet. */
function findUnderWay({ drop, view, orders }: DropBooks): string[] {
  const open = orders.filter(order => isOpen(order.status)).length;
  const unsettled = orders.filter(order => isPaid(order) && order.dueAtMs !== null).length;
  const unreleased = orders.filter(order => endedUnpaid(order.status) && order.releasedAtMs === null).length;
  const held = (view?.stock ?? []).reduce((total, stock) => total + stock.held, 0);
  return [
    ...(view ? [] : ['Redis does not know the drop']),
    ...(drop.isLoaded ? [] : ['an edit of the drop is being loaded']),
    ...(open > 0 ? [`${open} orders are open`] : []),
    ...(unsettled > 0 ? [`${unsettled} paid orders are not settled`] : []),
    ...(unreleased > 0 ? [`${unreleased} ended orders are not released`] : []),
    ...(held > 0 ? [`${held} units are held`] : []),
  ];
}

/** Authorised before its window ended, and its order ended unpaid. Who came to the last unit too late is not meant. */
function isPaidLate(
  payment: DropPayment,
  orderById: ReadonlyMap<string, BookedOrder>,
  items: Items,
): boolean {
  const order = orderById.get(payment.orderId);
  if (payment.authorizedAtMs === null || !order || !endedUnpaid(order.status)) return false;
  if (order.payDeadlineMs !== null && payment.authorizedAtMs > order.payDeadlineMs) return false;
  if (order.reason !== 'sold-out') return true;
  return order.quote.lines.every(line => {
    const item = items.find(each => each.sku === line.sku);
    return item !== undefined && item.total - item.withdrawn - item.units.owned >= line.quantity;
  });
}

function isOpen(status: OrderStatus): boolean {
  return stageOf[status] < stageOf.paid;
}

function countBy<T>(all: readonly T[], of: (each: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of all) counts[of(each)] = (counts[of(each)] ?? 0) + 1;
  return counts;
}
