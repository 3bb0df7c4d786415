// How a refund that is written into its order gets done, step by step. Each step is one effect that may be repeated,
// then one compare-and-set on the order's refunds:
//
//   asked      write down the key of the call → give the money back at Stripe → `refunded`, or `failed`
//   refunded   its units: let go in the ledger, then back in Redis (in this order, so that Redis never offers what the
//              ledger would refuse) → `restockedAtMs`
//
// A call is repeated under its key while Stripe may still be at work on it. Later the payment's refunds are looked
// through first: there is ours, or there is none and a new key is safe (Stripe repeats even a fault under an old one).
import type { Logger } from 'pino';
import { refundIdSchema, type BuyerId, type DropId, type OrderId, type Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Order, RefundRecord, UnitRef } from '../orders/order.ts';
import type { Orders } from '../orders/orders.ts';
import {
  isRefundedInFull,
  keptUnits,
  takeProviderRefunds,
  withRefund,
  type ProviderRefund,
  type RefundsChange,
} from '../orders/refund.rules.ts';
import type { PaymentRefund, Payments } from '../payments/payments.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { CardsPort } from './advance.ts';

export interface RefundOrderDeps {
  readonly orders: Orders;
  readonly payments: Pick<Payments, 'refund' | 'refunds'>;
  readonly units: {
    releaseUnits(request: { orderId: OrderId; dropId: DropId; units: readonly UnitRef[] }): Promise<void>;
  };
  readonly cards: Pick<CardsPort, 'keepAtMost'>;
  readonly holds: {
    returnUnits(request: {
      dropId: DropId;
      buyerId: BuyerId;
      returnId: string;
      lines: readonly { sku: Sku; quantity: number }[];
    }): Promise<{ kind: 'returned' | 'drifted' | 'missing' }>;
  };
  readonly clock: { now(): number };
  readonly log: Logger;
  readonly metrics: Metrics;
}

export interface RefundOrder {
  /** One step of an open refund; null where the order has changed meanwhile. */
  step(order: Order, refund: RefundRecord): Promise<Order | null>;
  /** Takes in what Stripe says of the order's refunds; null where the order has changed meanwhile. */
  takeIn(order: Order): Promise<{ order: Order; isNew: boolean } | null>;
}

export function createRefundOrder(deps: RefundOrderDeps): RefundOrder {
  const { orders, payments, units, holds, cards, clock, log, metrics } = deps;

  const alarm = (what: string, order: Order, detail: Record<string, unknown>) => {
    metrics.alarms.inc({ what });
    log.error({ ...detail, orderId: order.orderId, alarm: what }, 'refunds: an operator must look at this');
  };

  const write = (order: Order, change: RefundsChange): Promise<Order | null> => {
    const { orderId, status } = order;
    const { refunds, refundsRev, refundedAmount } = change;
    const set = { refunds, refundsRev, refundedAmount };
    const where = { refundsRev: order.refundsRev };
    return isRefundedInFull(order, change) && status !== 'refunded'
      ? orders.move({ orderId, from: [status], to: 'refunded', set, where })
      : orders.edit({ orderId, from: [status], set, where });
  };
  const writeOne = (order: Order, refund: RefundRecord) => write(order, withRefund(order, refund));

  const look = async (order: Order) => {
    if (!order.intent?.id) return null;
    const found = await payments.refunds(order.intent.id);
    return takeProviderRefunds(order, found.map(toProviderRefund), clock.now());
  };

  const giveBack = async (order: Order, refund: RefundRecord): Promise<Order | null> => {
    const { orderId, intent } = order;
    if (refund.amount === 0 || !intent?.id) return writeOne(order, { ...refund, status: 'refunded' });
    const nowMs = clock.now();
    if (refund.call === null || nowMs - refund.call.startedAtMs >= limits.refundLookMs) {
      const news = refund.call === null ? null : await look(order);
      if (news) return write(order, news);
      const idempotencyKey = `${orderId}-refund-${refund.refundId}-${nowMs}`;
      return writeOne(order, { ...refund, call: { idempotencyKey, startedAtMs: nowMs } });
    }
    const answer = await payments.refund({
      id: intent.id,
      idempotencyKey: refund.call.idempotencyKey,
      amount: { amount: refund.amount, currency: order.quote.currency },
      metadata: { order: orderId, refund: refund.refundId },
    });
    const made = answer.kind === 'refunded' ? answer.refund : null;
    if (made?.holds) return writeOne(order, { ...refund, status: 'refunded', paymentRefundId: made.id });
    // Why it was turned down may be a refund that somebody made at Stripe; then it is taken in with it.
    const code = answer.kind === 'refused' ? answer.code : 'refund-failed';
    const now = { ...order, ...(await look(order)) };
    const own = now.refunds.find(({ refundId }) => refundId === refund.refundId);
    return own?.status === 'refunded'
      ? write(order, { ...now, refundsRev: order.refundsRev + 1 })
      : write(order, withRefund(now, { ...refund, status: 'failed', code }));
  };

  const restock = async (order: Order, refund: RefundRecord): Promise<Order | null> => {
    const { orderId, dropId, buyerId } = order;
    await units.releaseUnits({ orderId, dropId, units: refund.restock });
    const returned = await holds.returnUnits({
      dropId,
      buyerId,
      returnId: `${orderId}/${refund.refundId}`,
      lines: linesOf(refund.restock),
    });
    if (returned.kind === 'missing') throw new Error(`Redis does not know ${dropId}: its units return later`);
    if (returned.kind === 'drifted') alarm('restock-drifted', order, { refundId: refund.refundId });
    const { card } = order;
    if (card !== null) await cards.keepAtMost({ dropId, card, orderId, unitsCount: keptUnits(order).length });
    return writeOne(order, { ...refund, restockedAtMs: clock.now() });
  };

  return {
    step: (order, refund) => (refund.status === 'asked' ? giveBack(order, refund) : restock(order, refund)),
    async takeIn(order) {
      const news = await look(order);
      if (!news) return { order, isNew: false };
      const { failedAfterAll, ...change } = news;
      const written = await write(order, change);
      if (!written) return null;
      for (const { id } of failedAfterAll) alarm('refund-failed', written, { paymentRefundId: id });
      return { order: written, isNew: true };
    },
  };
}

export function toProviderRefund({ id, amount, holds, metadata }: PaymentRefund): ProviderRefund {
  return { id: refundIdSchema.parse(id), amount, holds, refundId: metadata['refund'] ?? null };
}

function linesOf(units: readonly UnitRef[]): { sku: Sku; quantity: number }[] {
  const quantities = new Map<Sku, number>();
  for (const { sku } of units) quantities.set(sku, (quantities.get(sku) ?? 0) + 1);
  return [...quantities].map(([sku, quantity]) => ({ sku, quantity }));
}
