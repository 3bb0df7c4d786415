// `admin.order.refund`: writes the refund into its order, all of it, and lets the order's steps do the rest. Whoever
// dies in between leaves an order that is due; the same request made again finds how far it has come.
import { PublicError } from '../errors.ts';
import type { OrderId, RefundId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import type { Order, RefundRecord, UnitRef } from './order.ts';
import { wasPaid, type OrderStatus } from './order.rules.ts';
import type { Orders } from './orders.ts';
import { planRefund, withRefund, type RefundRequest } from './refund.rules.ts';

interface Progress {
  readonly refundId: RefundId;
  readonly status: OrderStatus;
  readonly amount: Money;
  readonly refundedAmount: Money;
  /** The units that are back on the shelf, or on their way there. */
  readonly restocked: UnitRef[];
}

export type RefundOutcome =
  /** Stripe has it, and the units are back. */
  | ({ kind: 'refunded' } & Progress)
  /** It is certain to be tried until it is done, or has certainly failed. */
  | ({ kind: 'refunding' } & Progress)
  /** Stripe will not give it back; nothing has changed. */
  | ({ kind: 'failed'; code: string } & Progress)
  /** The order is not paid, or there is nothing left to give back. */
  | { kind: 'refused'; status: OrderStatus }
  | { kind: 'too-much'; refundable: Money }
  /** Units that are not the order's, or went back before. */
  | { kind: 'not-restockable'; units: UnitRef[] }
  /** The same id with another request. */
  | { kind: 'conflict' };

export type Refund = (request: RefundRequest & { orderId: OrderId }) => Promise<RefundOutcome>;

/** Lost to another refund of the same order each time: an order has a handful of them, not dozens at once. */
const looksMax = 12;

export function createRefund(deps: {
  orders: Pick<Orders, 'find' | 'edit'>;
  advance: (order: Order) => Promise<Order | null>;
  clock: { now(): number };
}): Refund {
  const { orders, advance, clock } = deps;
  return async request => {
    const { orderId, refundId } = request;
    for (let looks = 0; looks < looksMax; looks += 1) {
      const order = await orders.find(orderId);
      if (!order) throw new PublicError('not-found', 'There is no such order');
      const { status } = order;
      if (!wasPaid(status)) return { kind: 'refused', status };
      const plan = planRefund(order, request, clock.now());
      if (plan.kind === 'conflict') return { kind: 'conflict' };
      if (plan.kind === 'nothing-left') return { kind: 'refused', status };
      if (plan.kind === 'not-restockable') return plan;
      if (plan.kind === 'too-much') return { kind: 'too-much', refundable: moneyOf(order, plan.leftAmount) };
      if (plan.kind === 'known') {
        const now = await advance(order);
        return outcomeOf(now ?? order, refundId);
      }
      const { refunds, refundsRev } = withRefund(order, plan.record);
      const written = await orders.edit({
        orderId,
        from: ['paid', 'fulfilled', 'refunded'],
        // Whoever wrote it goes on at once; after the lease another may.
        set: { refunds, refundsRev, dueAtMs: clock.now() + limits.stepLeaseMs },
        where: { refundsRev: order.refundsRev },
      });
      if (!written) continue;
      const now = await advance(written);
      return outcomeOf(now ?? written, refundId);
    }
    throw new PublicError('unavailable', 'The order is being refunded at the same time: try again', {
      retryAfterMs: 500,
    });
  };
}

function outcomeOf(order: Order, refundId: RefundId): RefundOutcome {
  const record = order.refunds.find(refund => refund.refundId === refundId);
  if (!record) throw new Error(`order ${order.orderId} has lost its refund ${refundId}`);
  const progress: Progress = {
    refundId,
    status: order.status,
    amount: moneyOf(order, record.amount),
    refundedAmount: moneyOf(order, order.refundedAmount),
    restocked: record.status === 'failed' && record.restockedAtMs === null ? [] : record.restock,
  };
  if (record.status === 'failed') return { kind: 'failed', code: record.code ?? 'unknown', ...progress };
  return { kind: isDone(record) ? 'refunded' : 'refunding', ...progress };
}

function isDone({ status, restock, restockedAtMs }: RefundRecord): boolean {
  return status === 'refunded' && (restock.length === 0 || restockedAtMs !== null);
}

function moneyOf(order: Order, amount: number): Money {
  return { amount, currency: order.quote.currency };
}
