// News of a payment, whoever brings them: an event, or a sweep. News may authorise or close an order; where they say
// something that our own books exclude, the payment itself is asked.
import type { Logger } from 'pino';
import type { Order } from '../orders/order.ts';
import { afterNews, endedUnpaid, hasDisputeEnded, isMoneyCertain } from '../orders/order.rules.ts';
import type { Orders } from '../orders/orders.ts';
import { readDispute } from '../payments/payments.gateway.ts';
import type { Payment, Payments } from '../payments/payments.ts';
import type { Metrics } from '../platform/telemetry.ts';

/** `advance`: the order that goes on from here. What was due before is the relay's. */
export type Applied = { outcome: string; advance: Order | null };

export interface TakeNews {
  payment(order: Order, payment: Payment): Promise<Applied>;
  /** An order ended unpaid, and its payment may have money or may still be paid: nobody gets goods for it any more. */
  ended(order: Order, paymentId: string): Promise<Applied>;
  /** `object`: a dispute of the order's payment, as Stripe has it. */
  dispute(order: Order, object: unknown): Promise<Applied>;
  alarm(what: string, detail: Record<string, unknown>): Applied;
}

export function createTakeNews(deps: {
  orders: Orders;
  payments: Pick<Payments, 'retrieve' | 'cancel' | 'refunds'>;
  clock: { now(): number };
  log: Logger;
  metrics: Metrics;
}): TakeNews {
  const { orders, payments, clock, log, metrics } = deps;
  const noNews: Applied = { outcome: 'no-news', advance: null };

  const alarm: TakeNews['alarm'] = (what, detail) => {
    metrics.alarms.inc({ what });
    log.error({ ...detail, alarm: what }, 'payments: an operator must look at this');
    return { outcome: what, advance: null };
  };

  const ended: TakeNews['ended'] = async (order, paymentId) => {
    const { orderId, refundedAmount } = order;
    const looked = await payments.retrieve(paymentId);
    if (looked.kind === 'refused') return noNews;
    const { status, receivedAmount } = looked.payment;
    if (status === 'canceled' || status === 'processing') return noNews;
    if (status === 'succeeded') {
      const refunds = refundedAmount >= receivedAmount ? [] : await payments.refunds(paymentId);
      const given = refunds.filter(({ holds }) => holds).reduce((sum, { amount }) => sum + amount, 0);
      return Math.max(given, refundedAmount) >= receivedAmount
        ? noNews
        : alarm('paid-after-the-end', { orderId, paymentId, receivedAmount });
    }
    const cancelled = await payments.cancel(paymentId);
    if (cancelled.kind === 'refused') throw new Error(`payment ${paymentId} has moved on meanwhile`);
    if (cancelled.payment.wasAuthorized) return alarm('authorization-let-go', { orderId, paymentId });
    return { outcome: 'let-go', advance: null };
  };

  return {
    alarm,
    ended,
    async payment(order, payment) {
      const { orderId, status } = order;
      const to = afterNews(status, payment.status);
      if (to === null) {
        const isImpossible = isMoneyCertain(payment.status) && endedUnpaid(status);
        return isImpossible ? ended(order, payment.id) : noNews;
      }
      const set = { intentId: payment.id, intentStatus: payment.status };
      const moved =
        to === 'authorized'
          ? await orders.move({
              orderId,
              from: ['pending', 'closing'],
              to,
              set: { ...set, authorizedAtMs: clock.now() },
            })
          : await orders.move({
              orderId,
              from: ['pending'],
              to,
              set: { ...set, reason: 'payment-cancelled' },
            });
      return moved ? { outcome: to, advance: moved } : noNews;
    },
    async dispute(order, object) {
      const { paymentId: _paymentId, ...dispute } = readDispute(object);
      const { orderId, status, dispute: known } = order;
      const isOld =
        known?.id === dispute.id && (known.status === dispute.status || hasDisputeEnded(known.status));
      if (isOld) return noNews;
      const written = await orders.edit({
        orderId,
        from: [status],
        set: { dispute: { ...dispute, atMs: clock.now() } },
      });
      if (!written) throw new Error(`order ${orderId} has changed meanwhile`);
      // The bank waits for an answer only so long, and nobody but the shop can give one.
      if (known?.id !== dispute.id) return alarm('disputed', { orderId, disputeId: dispute.id });
      return { outcome: 'dispute-updated', advance: null };
    },
  };
}
