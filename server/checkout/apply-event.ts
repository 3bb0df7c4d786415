// Works off one stored event of Stripe's. Events come late, twice, out of order or never, so an event is only news: it
// may authorise or close an order, and everything that follows looks at the payment itself. Applied twice, it is
// applied once.
import type { Logger } from 'pino';
import { z } from 'zod';
import { orderIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Order } from '../orders/order.ts';
import { endedUnpaid, retryPauseMs, wasPaid } from '../orders/order.rules.ts';
import type { Orders } from '../orders/orders.ts';
import { readDispute, readPayment, readRefund } from '../payments/payments.gateway.ts';
import type { Payment } from '../payments/payments.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { Advance } from './advance.ts';
import type { RefundOrder } from './refund-order.ts';
import type { Applied, TakeNews } from './take-news.ts';

/** The stored events, as far as working them off needs them. */
export interface EventsPort {
  find(eventId: string): Promise<{
    eventId: string;
    type: string;
    raw: string;
    doneAtMs: number | null;
    attempts: number;
  } | null>;
  done(eventId: string, outcome: string, atMs: number): Promise<void>;
  retryLater(eventId: string, dueAtMs: number): Promise<void>;
}

export type ApplyEvent = (eventId: string) => Promise<void>;

const bodySchema = z.object({ id: z.string(), type: z.string(), data: z.object({ object: z.unknown() }) });

export function createApplyEvent(deps: {
  events: EventsPort;
  orders: Orders;
  advance: Advance;
  takeNews: TakeNews;
  takeRefunds: RefundOrder['takeIn'];
  clock: { now(): number };
  log: Logger;
  metrics: Metrics;
}): ApplyEvent {
  const { events, orders, advance, takeNews, takeRefunds, clock, log, metrics } = deps;

  const apply = async (eventId: string, type: string, payment: Payment): Promise<Applied> => {
    const orderId = orderIdSchema.safeParse(payment.metadata['order']);
    const order = orderId.success ? await orders.find(orderId.data) : null;
    if (!order?.intent) return { outcome: 'foreign', advance: null };
    const detail = { eventId, orderId: order.orderId, paymentId: payment.id };
    if (order.intent.id !== null && order.intent.id !== payment.id)
      return takeNews.alarm('second-payment', detail);
    const { amount, currency } = order.intent.params;
    if (payment.amount !== amount || payment.currency !== currency)
      return takeNews.alarm('amount-differs', detail);
    return type === 'payment_intent.payment_failed'
      ? countDecline(order, eventId)
      : takeNews.payment(order, payment);
  };

  const countDecline = async (order: Order, eventId: string): Promise<Applied> => {
    const { orderId } = order;
    const declined = await orders.addDecline(orderId, eventId);
    // A delayed payment that failed after its window: its order waited for nothing else.
    if (declined?.status === 'closing') return { outcome: 'declined', advance: declined };
    if (!declined || declined.declines.length < limits.declinesCount)
      return { outcome: 'declined', advance: null };
    metrics.outcomes.inc({ what: 'order', kind: 'too-many-declines' });
    const reason = 'too-many-declines';
    const closing = await orders.move({ orderId, from: ['pending'], to: 'closing', set: { reason } });
    return { outcome: reason, advance: closing };
  };

  /** Refunds, ours and those made at Stripe. The list at Stripe is asked only where the order's books say otherwise. */
  const applyRefund = async (type: string, object: unknown): Promise<Applied> => {
    const { paymentId, isNewsTo } = type.startsWith('charge.') ? readCharge(object) : readRefundNews(object);
    const order = paymentId === null ? null : await orders.findByPayment(paymentId);
    if (!order) return { outcome: 'foreign', advance: null };
    const noNews: Applied = { outcome: 'no-news', advance: null };
    // Money that was held and let go counts as refunded at Stripe; and what an order that ended unpaid gave back, it knows.
    if (endedUnpaid(order.status) || order.status === 'cancelling' || !isNewsTo(order)) return noNews;
    if (!wasPaid(order.status)) throw new Error(`order ${order.orderId} is refunded before it is paid`);
    const taken = await takeRefunds(order);
    if (!taken) throw new Error(`order ${order.orderId} has changed meanwhile`);
    return taken.isNew ? { outcome: 'refunds-taken-in', advance: taken.order } : noNews;
  };

  const applyDispute = async (object: unknown): Promise<Applied> => {
    const { paymentId } = readDispute(object);
    const order = paymentId === null ? null : await orders.findByPayment(paymentId);
    if (!order) return { outcome: 'foreign', advance: null };
    return takeNews.dispute(order, object);
  };

  const applyAny = (eventId: string, type: string, object: unknown): Promise<Applied> => {
    if (type.startsWith('payment_intent.')) return apply(eventId, type, readPayment(object));
    return type.startsWith('charge.dispute.') ? applyDispute(object) : applyRefund(type, object);
  };

  return async eventId => {
    const event = await events.find(eventId);
    if (!event || event.doneAtMs !== null) return;
    try {
      const body = bodySchema.parse(JSON.parse(event.raw));
      const applied = await applyAny(eventId, event.type, body.data.object);
      // Done before the order is advanced: from here on the order itself is what is due.
      await events.done(eventId, applied.outcome, clock.now());
      if (applied.advance) await advance(applied.advance);
    } catch (error) {
      log.warn({ err: error, eventId, attempts: event.attempts }, 'payments: an event is tried again later');
      const dueAtMs = clock.now() + retryPauseMs(event.attempts, limits.stepRetryMs);
      await events.retryLater(eventId, dueAtMs).catch(() => undefined);
    }
  };
}

type RefundNews = { paymentId: string | null; isNewsTo: (order: Order) => boolean };

const chargeSchema = z.object({
  payment_intent: z.string().nullish(),
  captured: z.boolean(),
  amount: z.int(),
  amount_refunded: z.int(),
});

function readCharge(object: unknown): RefundNews {
  const charge = chargeSchema.parse(object);
  // As a share of the charge, so that it does not matter in which units Stripe counts the currency.
  const refundedShare = charge.amount === 0 ? 0 : charge.amount_refunded / charge.amount;
  return {
    paymentId: charge.payment_intent ?? null,
    isNewsTo: order =>
      charge.captured && Math.round(order.quote.totalAmount * refundedShare) !== order.refundedAmount,
  };
}

function readRefundNews(object: unknown): RefundNews {
  const refund = readRefund(object);
  return {
    paymentId: refund.paymentId,
    isNewsTo: order => {
      const known = order.refunds.find(each => each.paymentRefundId === refund.id);
      return known ? (known.status === 'refunded') !== refund.holds : refund.holds;
    },
  };
}
