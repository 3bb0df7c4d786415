// One order, with all that hangs on it: its units in the ledger, its payments at Stripe, its hold in Redis. Pure.
import { mayMove, orderStatuses, type OrderStatus } from '../orders/order.rules.ts';
import type { AuditHold, AuditOrder, AuditPayment, AuditUnit, OrderLine, UnitName } from './audit-sources.ts';
import type { Finding, ReportFinding } from './finding.ts';

export interface OrderWithAll {
  readonly order: AuditOrder;
  readonly owned: readonly AuditUnit[];
  readonly payments: readonly AuditPayment[];
  readonly hold: AuditHold | null;
  readonly nowMs: number;
}

type Wrong = (invariant: Finding['invariant'], what: string, document?: string) => void;

const paidStatuses: ReadonlySet<string> = new Set(['paid', 'fulfilled', 'refunded']);
const unpaidEnds: ReadonlySet<string> = new Set(['cancelled', 'expired']);
/** What is due is driven again within this, whatever the job queue has lost. */
export const drivenWithinMs = 60_000;
/** Stripe says when a card was authorised to the second, and its clock need not be ours to another. */
const clockSlackMs = 2_000;

export function isPaidOrder({ status }: AuditOrder): boolean {
  return paidStatuses.has(status);
}

/** The units that refunds have put back on the shelf. */
export function restockedOf(order: AuditOrder): UnitName[] {
  return order.refunds.flatMap(refund => (refund.restockedAtMs === null ? [] : refund.restock));
}

export function checkOrder(all: OrderWithAll, report: ReportFinding): void {
  const { order } = all;
  const wrong: Wrong = (invariant, what, document = order.orderId) => report({ invariant, document, what });
  checkUnits(all, wrong);
  checkMoney(all, wrong);
  checkRefunds(order, wrong);
  checkHold(all, wrong);
  checkHistory(order, wrong);
  checkServed(all, wrong);
}

function checkUnits({ order, owned }: OrderWithAll, wrong: Wrong): void {
  const slots = new Set<string>();
  for (const unit of owned) {
    if (unit.unitId !== `${unit.dropId}/${nameOf(unit)}`)
      wrong(2, 'is not named after its unit', unit.unitId);
    if (unit.dropId !== order.dropId)
      wrong(2, `belongs to ${order.orderId}, an order of another drop`, unit.unitId);
    if (slots.has(unit.slot))
      wrong(2, `is a second unit for slot ${unit.slot} of ${order.orderId}`, unit.unitId);
    slots.add(unit.slot);
  }
  if (unpaidEnds.has(order.status) && order.releasedAtMs !== null && owned.length > 0) {
    wrong(2, `is ${order.status} and still owns ${owned.length} units`);
  }
  if (!isPaidOrder(order)) return;
  const restocked = restockedOf(order);
  const wanted = order.lines.flatMap(line => Array.from({ length: line.quantity }, () => line.sku));
  const got = [...owned, ...restocked].map(unit => unit.sku);
  if (wanted.toSorted().join() !== got.toSorted().join())
    wrong(3, `is ${order.status} for ${wanted.length} units and owns ${owned.length}`);
  const back = new Set(restocked.map(nameOf));
  const told = order.serials.map(nameOf).filter(unit => !back.has(unit));
  if (told.toSorted().join() !== owned.map(nameOf).toSorted().join())
    wrong(2, 'tells its buyer other serials than the ledger');
}

function checkMoney({ order, payments }: OrderWithAll, wrong: Wrong): void {
  const { intent } = order;
  const live = payments.filter(payment => payment.status !== 'canceled');
  const captured = payments.filter(payment => payment.capturedAmount > 0);
  if (live.length > 1) wrong(4, `has ${live.length} payments that are not cancelled`);
  else if (intent?.id && live[0] && live[0].paymentId !== intent.id)
    wrong(4, `has the payment ${intent.id} in its books, and ${live[0].paymentId} at Stripe`);
  if (captured.length > 1) wrong(4, `is captured ${captured.length} times`);
  const own = payments.find(payment => payment.paymentId === intent?.id);
  if (own && intent && (own.amount !== intent.params.amount || own.currency !== intent.params.currency)) {
    const { amount, currency } = intent.params;
    wrong(
      10,
      `is over ${own.amount} ${own.currency}; the call that made it was for ${amount} ${currency}`,
      own.paymentId,
    );
  }
  const capturedAmount = captured.reduce((sum, payment) => sum + payment.capturedAmount, 0);
  const refundedAmount = payments.reduce((sum, payment) => sum + payment.refundedAmount, 0);
  if (isPaidOrder(order)) {
    if (capturedAmount !== order.totalAmount)
      wrong(3, `is ${order.status} over ${order.totalAmount}, and ${capturedAmount} was captured`);
    if (refundedAmount !== order.refundedAmount)
      wrong(3, `has ${order.refundedAmount} refunded in its books, and Stripe has ${refundedAmount}`);
    return;
  }
  const kept = capturedAmount - refundedAmount;
  if (kept > 0) wrong(3, `is ${order.status}, and ${kept} was captured and kept`);
  if (unpaidEnds.has(order.status) && live.some(payment => payment.status === 'requires_capture'))
    wrong(3, `is ${order.status}, and an authorisation is still open`);
}

function checkRefunds(order: AuditOrder, wrong: Wrong): void {
  const { refunds } = order;
  const done = refunds.filter(refund => refund.status === 'refunded');
  const doneAmount = done.reduce((sum, refund) => sum + refund.amount, 0);
  // A captured payment of an order that ended unpaid is given back by its cancellation, without a record.
  if (isPaidOrder(order) && doneAmount !== order.refundedAmount)
    wrong(3, `has ${order.refundedAmount} refunded, and its refunds come to ${doneAmount}`);
  if (order.refundedAmount > order.totalAmount)
    wrong(3, `costs ${order.totalAmount}, and ${order.refundedAmount} was refunded`);
  if (order.status === 'refunded' && order.refundedAmount < order.totalAmount)
    wrong(3, `is refunded, and ${order.totalAmount - order.refundedAmount} of it was not`);
  for (const id of doubles(refunds.map(refund => refund.refundId)))
    wrong(10, `has two refunds under the id ${id}`);
  for (const id of doubles(done.flatMap(refund => refund.paymentRefundId ?? [])))
    wrong(4, `counts Stripe's refund ${id} twice`);
  const units = new Set(order.serials.map(nameOf));
  const restocked = restockedOf(order).map(nameOf);
  for (const unit of doubles(restocked)) wrong(2, `has put ${unit} back on the shelf twice`);
  for (const unit of restocked)
    if (!units.has(unit)) wrong(2, `has put ${unit} back on the shelf, which it never had`);
}

function checkHold({ order, hold }: OrderWithAll, wrong: Wrong): void {
  const { orderId, holdId, status } = order;
  // An order's id is made of its hold's: under any other, a hold would have two.
  if (orderId !== `ord_${holdId}`) wrong(4, `is a second order of hold ${holdId}`);
  if (!hold) return;
  if (wordsOf(hold.lines) !== wordsOf(order.lines))
    wrong(10, `is for ${wordsOf(order.lines)}, and its hold for ${wordsOf(hold.lines)}`);
  const isLive = hold.state === 'held' || hold.state === 'paying';
  if (unpaidEnds.has(status) && order.releasedAtMs !== null && isLive)
    wrong(5, `is ${hold.state}, and its order ended unpaid: it was never returned`, holdId);
  if (isPaidOrder(order) && order.settledAtMs !== null && isLive)
    wrong(1, `is ${hold.state}, and its order is ${status}: its units count as held`, holdId);
  if (isPaidOrder(order) && order.settledAtMs !== null && hold.state === 'released')
    wrong(1, `was returned, and its order is ${status}: its units are on the shelf`, holdId);
  if (hold.state === 'settled' && !isPaidOrder(order))
    wrong(9, `is settled, and its order is ${status}`, holdId);
}

function checkHistory({ status, rev, history }: AuditOrder, wrong: Wrong): void {
  const statuses = history.map(entry => orderStatuses.find(known => known === entry.status));
  const first = statuses[0];
  if (first !== 'pending' && !standsForLost(history))
    wrong(11, `begins as ${history[0]?.status ?? 'nothing'}`);
  let before: OrderStatus | undefined;
  for (const [place, next] of statuses.entries()) {
    if (before && (!next || !mayMove(before, next)))
      wrong(11, `went from ${before} to ${history[place]?.status}`);
    before = next;
  }
  const last = history.at(-1)?.status;
  if (last !== status) wrong(11, `is ${status}, and its history ends as ${last ?? 'nothing'}`);
  if (rev !== history.length - 1) wrong(11, `is at revision ${rev} after ${history.length - 1} moves`);
}

function checkServed({ order, payments, nowMs }: OrderWithAll, wrong: Wrong): void {
  const { status, reason, payDeadlineMs, dueAtMs, history } = order;
  if (dueAtMs !== null && dueAtMs < nowMs - drivenWithinMs) {
    const what = `is ${status} and due since ${new Date(dueAtMs).toISOString()}, and nobody takes it further`;
    wrong(isPaidOrder(order) || unpaidEnds.has(status) ? 9 : 13, what);
  }
  if (!unpaidEnds.has(status) || reason !== 'window-ended' || payDeadlineMs === null) return;
  // It stands for an order that MongoDB has lost, and was written once the money was back with its owner.
  if (standsForLost(history)) return;
  for (const { paymentId, authorizedAtMs } of payments) {
    if (authorizedAtMs === null || authorizedAtMs + clockSlackMs > payDeadlineMs) continue;
    wrong(13, `is ${status} for time, and its payment ${paymentId} was authorised before its deadline`);
  }
}

/** What stands for an order that was lost begins with its end. */
const standsForLost = (history: AuditOrder['history']): boolean => history[0]?.status === 'expired';

function* doubles(names: readonly string[]): Generator<string> {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) yield name;
    seen.add(name);
  }
}

function nameOf({ sku, serial }: UnitName): string {
  return `${sku}/${serial}`;
}

function wordsOf(lines: readonly OrderLine[]): string {
  return lines
    .map(({ sku, quantity }) => `${sku}=${quantity}`)
    .toSorted()
    .join(',');
}
