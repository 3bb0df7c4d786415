// Takes an order as far as it can go. Each step is one effect that may be repeated, then one compare-and-set that
// says it is done; whoever dies in between leaves an order that is due, and the next one repeats the step.
//
//   pending     hold-pay, if its deadline was never written down; past the deadline → closing;
//                 until then a look at the payment now and then, in case its news are lost → authorized
//   closing     look at the payment (made again under its key if it is unknown whether it exists)
//                 authorised → authorized; processing → wait; else cancel it at Stripe → cancelled | expired
//   authorized  where the drop has a limit for each card: count the units against the card → else cancelling
//                 claim the units → write their serials down → capture, serials with it → paid
//                 none free, or the capture has certainly failed → cancelling
//   cancelling  cancel the payment, or refund it if it turns out captured → cancelled
//   cancelled, expired   release units, what the card was counted for, then the hold; later once more, for a claim that came late
//   paid …      settle the hold; then each refund that was asked for (`refund-order.ts`)
//
// What is not certain is thrown, and the order is due again after a growing pause. Any number of these may run at
// once for one order: effects are idempotent on ids fixed beforehand, and only one wins each compare-and-set.
import type { Logger } from 'pino';
import type { DropId, HoldId, OrderId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Order } from '../orders/order.ts';
import { endedUnpaid, endOfClosing, isMoneyCertain, type OrderReason } from '../orders/order.rules.ts';
import type { OrderChange, Orders } from '../orders/orders.ts';
import { openRefund } from '../orders/refund.rules.ts';
import { metadataOfSerials } from '../payments/payment-metadata.ts';
import { PaymentsBusy, type Payment, type Payments } from '../payments/payments.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { UsedCoupon } from '../promotions/coupon.rules.ts';
import type { RefundOrder } from './refund-order.ts';

/** The ledger of units, as far as an order needs it. */
export interface UnitsPort {
  claim(request: {
    orderId: OrderId;
    dropId: DropId;
    lines: readonly { sku: Sku; quantity: number; proposed: number | null }[];
  }): Promise<{ kind: 'claimed'; serials: { sku: Sku; serial: number }[] } | { kind: 'none-free'; sku: Sku }>;
  release(orderId: OrderId): Promise<void>;
}

/** The coupon that an order is billed with: its use ends as the order's hold does. */
export function couponOf({ quote, buyerId }: Pick<Order, 'quote' | 'buyerId'>): UsedCoupon | undefined {
  return quote.coupon === undefined ? undefined : { code: quote.coupon, buyerId };
}

/** Holds, as far as an order ends them. */
export interface HoldsPort {
  pay(
    dropId: DropId,
    holdId: HoldId,
    coupon?: UsedCoupon,
  ): Promise<{ kind: 'paying'; payDeadlineMs: number } | { kind: 'settled' | 'released' | 'missing' }>;
  settle(
    dropId: DropId,
    holdId: HoldId,
    coupon?: UsedCoupon,
  ): Promise<{ kind: 'settled' | 'released' | 'missing' }>;
  release(
    dropId: DropId,
    holdId: HoldId,
    by: 'order',
    coupon?: UsedCoupon,
  ): Promise<{ kind: 'released' | 'paying' | 'settled' | 'missing' }>;
}

/** The units that each card has of a drop. */
export interface CardsPort {
  hash(dropId: DropId, fingerprint: string): string;
  take(request: {
    dropId: DropId;
    card: string;
    orderId: OrderId;
    unitsCount: number;
    max: number;
  }): Promise<'counted' | 'over'>;
  keepAtMost(request: { dropId: DropId; card: string; orderId: OrderId; unitsCount: number }): Promise<void>;
}

export interface AdvanceDeps {
  readonly refunds: RefundOrder;
  readonly orders: Orders;
  readonly payments: Payments;
  readonly units: UnitsPort;
  readonly holds: HoldsPort;
  readonly cards: CardsPort;
  readonly clock: { now(): number };
  readonly log: Logger;
  readonly metrics: Metrics;
}

/**
 * Never throws for what a later try can mend. Answers with the order as it stands, null where there is none. Whoever
 * has just read or changed the order hands it over, and saves a look.
 */
export type Advance = (what: OrderId | Order) => Promise<Order | null>;

/** `null`: somebody else was quicker, look again. `rest`: nothing more can be done now. */
type StepResult = { next: Order } | { rest: Order } | null;

/** More looks than there are states and races to lose: an order that still runs then is due again later. */
const looksMax = 24;

export function createAdvance(deps: AdvanceDeps): Advance {
  const { orders, log, metrics } = deps;
  const steps = createSteps(deps);
  return async what => {
    const orderId = typeof what === 'string' ? what : what.orderId;
    let order = typeof what === 'string' ? await orders.find(what) : what;
    try {
      for (let looks = 0; order && looks < looksMax; looks += 1) {
        const result: StepResult = await steps(order);
        if (result && 'rest' in result) return result.rest;
        order = result ? result.next : await orders.find(orderId);
      }
      return order;
    } catch (error) {
      if (!order) throw error;
      if (error instanceof PaymentsBusy) {
        // Many may be put off at once: they come back spread out.
        const pauseMs = error.retryAfterMs + Math.random() * limits.stripePutOffSpreadMs;
        metrics.outcomes.inc({ what: 'order-step', kind: 'put-off' });
        await orders.putOff(order, pauseMs).catch(() => undefined);
        return order;
      }
      const { status, attempts } = order;
      metrics.outcomes.inc({ what: 'order-step', kind: 'later' });
      log.warn({ err: error, orderId, status, attempts }, 'orders: a step is tried again later');
      // Where even this cannot be written the order is due as it was.
      await orders.retryLater(order).catch(() => undefined);
      return order;
    }
  };
}

function createSteps(deps: AdvanceDeps): (order: Order) => Promise<StepResult> {
  const { orders, payments, units, holds, cards, refunds, clock, log, metrics } = deps;

  const alarm = (what: string, order: Order, detail: Record<string, unknown> = {}) => {
    metrics.alarms.inc({ what });
    log.error({ ...detail, orderId: order.orderId, alarm: what }, 'orders: an operator must look at this');
  };
  const moved = (order: Order | null): StepResult => (order ? { next: order } : null);
  const later = async (order: Order): Promise<StepResult> => {
    await orders.retryLater(order);
    return { rest: order };
  };

  const pending = async (order: Order): Promise<StepResult> => {
    const nowMs = clock.now();
    const close = (reason: OrderReason) =>
      orders.move({ orderId: order.orderId, from: ['pending'], to: 'closing', set: { reason } });
    if (order.payDeadlineMs !== null) {
      if (nowMs >= order.payDeadlineMs + limits.payGraceMs) return moved(await close('window-ended'));
      if (order.dueAtMs !== null && nowMs < order.dueAtMs) return { rest: order };
      return lookWhilePending(order, order.payDeadlineMs);
    }
    if (order.dueAtMs !== null && nowMs < order.dueAtMs) return { rest: order };
    // Whoever placed the order died before writing the deadline down: the hold knows whether it is being paid.
    const hold = await holds.pay(order.dropId, order.holdId, couponOf(order));
    if (hold.kind !== 'paying') return moved(await close('hold-expired'));
    const { payDeadlineMs } = hold;
    const set = { payDeadlineMs, dueAtMs: dueWhilePending(nowMs, payDeadlineMs) };
    return moved(await orders.edit({ orderId: order.orderId, from: ['pending'], set }));
  };

  /** The news of a payment may be lost: then it is found by a look, long before a long window ends. */
  const lookWhilePending = async (order: Order, payDeadlineMs: number): Promise<StepResult> => {
    const { orderId, intent } = order;
    const looked = intent?.id ? await payments.retrieve(intent.id) : null;
    if (looked?.kind === 'payment' && isMoneyCertain(looked.payment.status)) {
      const set = { intentStatus: looked.payment.status, authorizedAtMs: clock.now() };
      return moved(await orders.move({ orderId, from: ['pending'], to: 'authorized', set }));
    }
    const set = { dueAtMs: dueWhilePending(clock.now(), payDeadlineMs) };
    const waiting = await orders.edit({ orderId, from: ['pending'], set });
    return waiting ? { rest: waiting } : null;
  };

  const closing = async (order: Order): Promise<StepResult> => {
    const { orderId, intent } = order;
    const end = async () =>
      moved(
        await orders.move({
          orderId,
          from: ['closing'],
          to: endOfClosing(order.reason),
          set: { endedAtMs: clock.now() },
        }),
      );
    if (!intent || intent.startedAtMs === null) return end();
    if (intent.id === null) {
      // Nobody can have paid: the id is written down before the secret is handed out, and only while `pending`.
      const tooOld = clock.now() - intent.startedAtMs >= limits.blindCreateMs;
      if (tooOld || order.attempts >= limits.unknownPaymentTriesCount) {
        alarm('payment-unknown', order);
        return end();
      }
      const made = await payments.create({ idempotencyKey: intent.idempotencyKey, params: intent.params });
      if (made.kind === 'refused') return end();
      return moved(await orders.edit({ orderId, from: ['closing'], set: { intentId: made.payment.id } }));
    }
    const looked = await payments.retrieve(intent.id);
    if (looked.kind === 'refused') {
      alarm('payment-missing', order, { paymentId: intent.id, code: looked.code });
      return end();
    }
    const { status } = looked.payment;
    if (isMoneyCertain(status)) {
      const set = { intentStatus: status, authorizedAtMs: clock.now() };
      return moved(await orders.move({ orderId, from: ['closing'], to: 'authorized', set }));
    }
    if (status === 'processing') {
      // A bank debit takes days; its end is told by an event, and a look now and then finds one that got lost.
      await orders.putOff(order, limits.processingLookMs);
      return { rest: order };
    }
    if (status === 'canceled') return end();
    const cancelled = await payments.cancel(intent.id);
    // Refused: it has moved on since the look, so look again.
    if (cancelled.kind === 'refused') return moved(await orders.find(orderId));
    // Authorised between look and cancellation: after the window and its grace, or while the order was called off. Stripe
    // cancels without a condition, so the money is let go, not taken.
    if (cancelled.payment.wasAuthorized) alarm('authorization-let-go', order, { paymentId: intent.id });
    return end();
  };

  const authorized = async (order: Order): Promise<StepResult> => {
    const { orderId, intent } = order;
    const { perCardMax } = order.terms;
    if (perCardMax !== null && intent?.id && order.cardCountedAtMs === null)
      return countCard(order, { paymentId: intent.id, max: perCardMax });
    if (order.serials.length === 0) {
      const claim = await units.claim(claimOf(order));
      if (claim.kind === 'none-free') {
        const where = { unclaimed: true } as const;
        const set = { reason: 'sold-out' } as const;
        return moved(await orders.move({ orderId, from: ['authorized'], to: 'cancelling', set, where }));
      }
      const set = { serials: claim.serials, dueAtMs: clock.now() + limits.stepLeaseMs };
      const claimed = await orders.edit({ orderId, from: ['authorized'], set });
      // Given up meanwhile by somebody else: what was claimed just now must not stay with an order that has ended.
      if (!claimed) return releaseIfEnded(order);
      return { next: claimed };
    }
    const pay = async () =>
      moved(await orders.move({ orderId, from: ['authorized'], to: 'paid', set: { paidAtMs: clock.now() } }));
    const giveUp = async () => {
      const set = { reason: 'capture-failed' } as const;
      return moved(await orders.move({ orderId, from: ['authorized'], to: 'cancelling', set }));
    };
    if (!intent) return pay();
    if (intent.id === null) throw new Error(`order ${orderId} is authorised without a payment`);
    const metadata = metadataOfSerials(order.serials);
    const captured = await payments.capture({
      id: intent.id,
      // Another key for each try: Stripe repeats even a 500 under an old one, and a payment is captured once anyway.
      idempotencyKey: `${orderId}-capture-${order.attempts}`,
      metadata,
    });
    if (captured.kind === 'payment') {
      if (captured.payment.status !== 'succeeded') return later(order);
      checkReceived(order, captured.payment);
      return pay();
    }
    const looked = await payments.retrieve(intent.id);
    if (looked.kind === 'refused' || looked.payment.status !== 'succeeded') {
      if (looked.kind === 'payment' && looked.payment.status === 'processing') return later(order);
      log.warn({ orderId, code: captured.code }, 'orders: the capture has failed');
      return giveUp();
    }
    // Captured before: by a try whose answer was lost, or at once by a method that knows no other way.
    checkReceived(order, looked.payment);
    if (looked.payment.metadata['serials'] === undefined) await payments.annotate(intent.id, metadata);
    return pay();
  };

  /** The card is known once it is authorised, and is written down before it is counted, so that it is always given back. */
  const countCard = async (order: Order, by: { paymentId: string; max: number }): Promise<StepResult> => {
    const { orderId, dropId, card } = order;
    const edit = async (set: OrderChange) =>
      moved(await orders.edit({ orderId, from: ['authorized'], set, where: { cardUncounted: true } }));
    if (card === null) {
      const fingerprint = await payments.cardFingerprint(by.paymentId);
      return edit(
        fingerprint === null
          ? { cardCountedAtMs: clock.now() }
          : { card: cards.hash(dropId, fingerprint), dueAtMs: clock.now() + limits.stepLeaseMs },
      );
    }
    const counted = await cards.take({ dropId, card, orderId, unitsCount: unitsCountOf(order), max: by.max });
    if (counted === 'counted')
      return edit({ cardCountedAtMs: clock.now(), dueAtMs: clock.now() + limits.stepLeaseMs });
    metrics.outcomes.inc({ what: 'order', kind: 'card-limit' });
    const set = { reason: 'card-limit' } as const;
    const where = { cardUncounted: true } as const;
    return moved(await orders.move({ orderId, from: ['authorized'], to: 'cancelling', set, where }));
  };

  const checkReceived = (order: Order, payment: Payment) => {
    if (payment.receivedAmount === order.quote.totalAmount && payment.currency === order.quote.currency)
      return;
    alarm('amount-differs', order, { paymentId: payment.id, received: payment.receivedAmount });
  };

  const releaseIfEnded = async (order: Order): Promise<StepResult> => {
    const now = await orders.find(order.orderId);
    if (now && endedUnpaid(now.status)) await units.release(order.orderId);
    return moved(now);
  };

  const cancelling = async (order: Order): Promise<StepResult> => {
    const { orderId, intent } = order;
    const end = async (refundedAmount: number) =>
      moved(
        await orders.move({
          orderId,
          from: ['cancelling'],
          to: 'cancelled',
          set: { refundedAmount, endedAtMs: clock.now() },
        }),
      );
    if (!intent?.id) return end(0);
    const cancelled = await payments.cancel(intent.id);
    if (cancelled.kind === 'payment' && cancelled.payment.status === 'canceled') return end(0);
    const looked = await payments.retrieve(intent.id);
    if (looked.kind === 'refused') {
      alarm('payment-missing', order, { paymentId: intent.id, code: looked.code });
      return later(order);
    }
    if (looked.payment.status === 'canceled') return end(0);
    if (looked.payment.status !== 'succeeded') return later(order);
    const idempotencyKey = `${orderId}-cancel-refund-${order.attempts}`;
    const refund = await payments.refund({ id: intent.id, idempotencyKey });
    if (refund.kind === 'refunded') return end(looked.payment.receivedAmount);
    alarm('refund-refused', order, { paymentId: intent.id, code: refund.code });
    return later(order);
  };

  const endedWithoutMoney = async (order: Order): Promise<StepResult> => {
    const { orderId, dropId, holdId, status } = order;
    if (order.dueAtMs === null) return { rest: order };
    const again = order.releasedAtMs !== null;
    if (again && clock.now() < order.dueAtMs) return { rest: order };
    await units.release(orderId);
    if (order.card !== null) await cards.keepAtMost({ dropId, card: order.card, orderId, unitsCount: 0 });
    if (again) {
      const done = await orders.edit({ orderId, from: [status], set: { dueAtMs: null } });
      return done ? { rest: done } : null;
    }
    const hold = await holds.release(dropId, holdId, 'order', couponOf(order));
    if (hold.kind === 'settled') alarm('hold-settled-unpaid', order);
    const releasedAtMs = clock.now();
    const set = { releasedAtMs, dueAtMs: releasedAtMs + limits.releaseAgainMs };
    const released = await orders.edit({ orderId, from: [status], set });
    return released ? { rest: released } : null;
  };

  const withMoney = async (order: Order): Promise<StepResult> => {
    const { orderId, dropId, holdId, status } = order;
    if (order.dueAtMs === null) return { rest: order };
    const refund = openRefund(order);
    // A refund that is asked for at this moment sets it due again: neither may undo the other.
    const where = { refundsRev: order.refundsRev };
    const nothingDue = refund ? {} : { dueAtMs: null };
    if (order.settledAtMs === null) {
      const hold = await holds.settle(dropId, holdId, couponOf(order));
      if (hold.kind !== 'settled') alarm(`hold-${hold.kind}-paid`, order);
      const set = { settledAtMs: clock.now(), ...nothingDue };
      return moved(await orders.edit({ orderId, from: [status], set, where }));
    }
    if (refund) return moved(await refunds.step(order, refund));
    const done = await orders.edit({ orderId, from: [status], set: nothingDue, where });
    return done ? { rest: done } : null;
  };

  return order => {
    switch (order.status) {
      case 'pending':
        return pending(order);
      case 'closing':
        return closing(order);
      case 'authorized':
        return authorized(order);
      case 'cancelling':
        return cancelling(order);
      case 'cancelled':
      case 'expired':
        return endedWithoutMoney(order);
      case 'paid':
      case 'fulfilled':
      case 'refunded':
        return withMoney(order);
    }
  };
}

/** What an order asks of the ledger. */
export function claimOf(order: Order): Parameters<UnitsPort['claim']>[0] {
  const { orderId, dropId, quote } = order;
  const proposed = new Map(order.proposed.map(({ sku, serial }) => [sku, serial]));
  const lines = quote.lines.map(({ sku, quantity }) => ({
    sku,
    quantity,
    proposed: proposed.get(sku) ?? null,
  }));
  return { orderId, dropId, lines };
}

function unitsCountOf(order: Order): number {
  return order.quote.lines.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** When somebody must look at an order that waits for its payment: now and then, and at the end of its window. */
export function dueWhilePending(nowMs: number, payDeadlineMs: number): number {
  return Math.min(payDeadlineMs + limits.payGraceMs, nowMs + limits.paymentLookMs);
}
