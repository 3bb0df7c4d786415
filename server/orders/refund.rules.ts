// What a refund may be, and what Stripe's list of refunds makes of an order's. Pure. What always holds: what was given
// back and what is on its way are together never more than the total, and no unit goes back to the shelf twice.
import type { RefundId } from '../ids.ts';
import type { Order, RefundRecord, UnitRef } from './order.ts';

export interface RefundRequest {
  readonly refundId: RefundId;
  /** In minor units; absent: all that is left. */
  readonly amount?: number | undefined;
  readonly restock: boolean | readonly UnitRef[];
}

/** A refund as Stripe has it. */
export interface ProviderRefund {
  readonly id: RefundId;
  readonly amount: number;
  /** False for one that failed or was cancelled: the money is back with the shop. */
  readonly holds: boolean;
  /** Our id, where we made it. */
  readonly refundId: string | null;
}

export type RefundPlan =
  | { kind: 'new'; record: RefundRecord }
  /** Asked for before, word for word. */
  | { kind: 'known'; record: RefundRecord }
  | { kind: 'conflict' }
  | { kind: 'nothing-left' }
  | { kind: 'too-much'; leftAmount: number }
  | { kind: 'not-restockable'; units: UnitRef[] };

/** What may still be given back: the total without what was, and what is on its way. */
export function refundableAmount(order: Order): number {
  const onTheWay = order.refunds
    .filter(refund => refund.status === 'asked')
    .reduce((sum, refund) => sum + refund.amount, 0);
  return order.quote.totalAmount - order.refundedAmount - onTheWay;
}

/** The units that are still the buyer's: no refund has sent them back, or is about to. */
export function keptUnits(order: Pick<Order, 'serials' | 'refunds'>): UnitRef[] {
  const gone = new Set(
    order.refunds
      // One that failed after its units had gone back does not bring them home.
      .filter(refund => refund.status !== 'failed' || refund.restockedAtMs !== null)
      .flatMap(refund => refund.restock.map(nameOf)),
  );
  return order.serials.filter(unit => !gone.has(nameOf(unit)));
}

export function planRefund(order: Order, request: RefundRequest, nowMs: number): RefundPlan {
  const asked = wordsOf(request);
  const known = order.refunds.find(refund => refund.refundId === request.refundId);
  if (known) return known.asked === asked ? { kind: 'known', record: known } : { kind: 'conflict' };
  const kept = keptUnits(order);
  const named = request.restock === true ? kept : request.restock === false ? [] : request.restock;
  const wanted = [...new Map(named.map(unit => [nameOf(unit), unit])).values()];
  const keptNames = new Set(kept.map(nameOf));
  const foreign = wanted.filter(unit => !keptNames.has(nameOf(unit)));
  if (foreign.length > 0) return { kind: 'not-restockable', units: foreign };
  const left = refundableAmount(order);
  const amount = request.amount ?? left;
  if (amount > left) return { kind: 'too-much', leftAmount: left };
  const givesNothing = amount === 0 && wanted.length === 0;
  if (givesNothing && (order.status === 'refunded' || order.quote.totalAmount > 0))
    return { kind: 'nothing-left' };
  return {
    kind: 'new',
    record: {
      refundId: request.refundId,
      source: 'shop',
      asked,
      amount,
      restock: wanted,
      status: 'asked',
      call: null,
      paymentRefundId: null,
      code: null,
      askedAtMs: nowMs,
      restockedAtMs: null,
    },
  };
}

/** The first refund that still has something to do: money to give back, or units to put on the shelf. */
export function openRefund(order: Order): RefundRecord | null {
  const isOpen = (refund: RefundRecord) =>
    refund.status === 'asked' ||
    (refund.status === 'refunded' && refund.restock.length > 0 && refund.restockedAtMs === null);
  return order.refunds.find(isOpen) ?? null;
}

export interface RefundsChange {
  readonly refunds: RefundRecord[];
  readonly refundsRev: number;
  readonly refundedAmount: number;
}

/** The order's refunds with one of them changed, and what they come to. */
export function withRefund(order: Order, changed: RefundRecord): RefundsChange {
  const isKnown = order.refunds.some(refund => refund.refundId === changed.refundId);
  const refunds = isKnown
    ? order.refunds.map(refund => (refund.refundId === changed.refundId ? changed : refund))
    : [...order.refunds, changed];
  return changeTo(order, refunds);
}

/** All of it is given back, and nothing more is on its way: then the order is `refunded`. */
export function isRefundedInFull(order: Order, change: RefundsChange): boolean {
  const someDone = change.refunds.some(refund => refund.status === 'refunded');
  return someDone && change.refundedAmount >= order.quote.totalAmount;
}

/** Takes in what Stripe says of the refunds; null where it says nothing new. */
export function takeProviderRefunds(
  order: Order,
  found: readonly ProviderRefund[],
  nowMs: number,
): (RefundsChange & { failedAfterAll: ProviderRefund[] }) | null {
  const refunds = [...order.refunds];
  const failedAfterAll: ProviderRefund[] = [];
  let isNew = false;
  for (const given of found) {
    const index = refunds.findIndex(
      refund => refund.paymentRefundId === given.id || refund.refundId === given.refundId,
    );
    const known = refunds[index];
    if (!known) {
      if (!given.holds) continue;
      refunds.push(madeElsewhere(given, nowMs));
      isNew = true;
    } else if (given.holds && known.status === 'asked') {
      refunds[index] = { ...known, status: 'refunded', paymentRefundId: given.id };
      isNew = true;
    } else if (!given.holds && known.status === 'refunded' && known.paymentRefundId === given.id) {
      // A bank may turn a refund down days later. The units that went back stay where they are.
      refunds[index] = { ...known, status: 'failed', code: 'failed-later' };
      failedAfterAll.push(given);
      isNew = true;
    }
  }
  return isNew ? { ...changeTo(order, refunds), failedAfterAll } : null;
}

function madeElsewhere(given: ProviderRefund, nowMs: number): RefundRecord {
  return {
    refundId: given.id,
    source: 'provider',
    asked: null,
    amount: given.amount,
    restock: [],
    status: 'refunded',
    call: null,
    paymentRefundId: given.id,
    code: null,
    askedAtMs: nowMs,
    restockedAtMs: null,
  };
}

function changeTo(order: Order, refunds: RefundRecord[]): RefundsChange {
  const refundedAmount = refunds
    .filter(refund => refund.status === 'refunded')
    .reduce((sum, refund) => sum + refund.amount, 0);
  return { refunds, refundsRev: order.refundsRev + 1, refundedAmount };
}

function nameOf({ sku, serial }: UnitRef): string {
  return `${sku}/${serial}`;
}

function wordsOf({ amount, restock }: RefundRequest): string {
  const units = typeof restock === 'boolean' ? restock : restock.map(nameOf).toSorted();
  return JSON.stringify([amount ?? null, units]);
}
