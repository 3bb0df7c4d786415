// `checkout.pay`: from a hold to a payment that the buyer can confirm.
//
// The order of the writes is what makes it safe to die anywhere: the order (with the key and the parameters of the
// payment), then the hold's extension, then the mark that the payment is being made, then the payment, then its id,
// and only then the secret leaves. Asked again, each finds what the one before has done.
import type { Logger } from 'pino';
import { PublicError } from '../errors.ts';
import { orderIdOf, type BuyerId, type DropId, type HoldId, type OrderId, type Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import type { Contact, Order, OrderTerms, UnitRef } from '../orders/order.ts';
import {
  endedUnpaid,
  isMoneyCertain,
  wasPaid,
  type OrderReason,
  type OrderStatus,
} from '../orders/order.rules.ts';
import type { Orders } from '../orders/orders.ts';
import { missedLeastAmount } from '../payments/least-amounts.rules.ts';
import { metadataOfOrder } from '../payments/payment-metadata.ts';
import {
  PaymentsBusy,
  PaymentsUnavailable,
  type Payment,
  type PaymentAnswer,
  type Payments,
} from '../payments/payments.ts';
import { quoteSchema, type Quote } from '../pricing/quote.ts';
import {
  claimOf,
  couponOf,
  dueWhilePending,
  type Advance,
  type HoldsPort,
  type UnitsPort,
} from './advance.ts';
import { isDestination } from './destination.rules.ts';

export interface PayRequest {
  readonly buyerId: BuyerId;
  readonly holdId: HoldId;
  readonly contact: Contact;
  /** A newer sealed quote for the same cart, after `requote`. */
  readonly quote?: string | undefined;
}

export type PayOutcome =
  | {
      kind: 'payable';
      orderId: OrderId;
      clientSecret: string;
      payments: PaymentsAddress;
      expiresAtMs: number;
    }
  /** There was nothing to pay. */
  | { kind: 'paid'; orderId: OrderId; serials: UnitRef[] }
  /** Nothing is left to do for the buyer but to watch the order. */
  | { kind: 'placed'; orderId: OrderId; status: OrderStatus }
  /** Stripe takes no payment that small; nothing was begun. */
  | { kind: 'below-minimum'; minimum: Money }
  | { kind: 'hold-expired' | 'requote' | 'sold-out' | 'all-held' | 'paused' };

/** Where the buyer's side confirms. */
export interface PaymentsAddress {
  readonly publishableKey: string;
  readonly apiBase: string;
  readonly scriptUrl: string;
}

/** A hold as checkout reads it. `frozen` is the priced cart that its placing froze into it, as JSON. */
export interface HoldView {
  readonly holdId: HoldId;
  readonly dropId: DropId;
  readonly buyerId: BuyerId;
  readonly state: 'held' | 'paying' | 'settled' | 'released';
  readonly lines: readonly { readonly sku: Sku; readonly quantity: number }[];
  readonly proposed: ReadonlyMap<Sku, number>;
  readonly expiresAtMs: number;
  readonly frozen: string;
}

export interface Checkout {
  /**
   * Throws PublicError `not-found` for an absent hold and for another buyer's, and `unavailable` where Stripe gives
   * no certain answer: the same call is then simply made again.
   */
  pay(request: PayRequest): Promise<PayOutcome>;
}

export interface CheckoutDeps {
  readonly orders: Orders;
  readonly payments: Payments;
  readonly holds: Pick<HoldsPort, 'pay'> & { find(holdId: HoldId): Promise<HoldView | null> };
  readonly units: Pick<UnitsPort, 'claim' | 'release'>;
  readonly quotes: { open(text: string): Quote | null };
  /** What the drop says at this moment; null where there is no such drop. */
  readonly termsOf: (dropId: DropId) => Promise<OrderTerms | null>;
  readonly advance: Advance;
  /** Asks for the job that takes the order further; must not throw. */
  readonly wake: (order: Order) => void;
  readonly clock: { now(): number };
  readonly paymentsAddress: PaymentsAddress;
  readonly log: Logger;
}

/** Why there is no order to pay. */
type Refused =
  | Extract<PayOutcome, { kind: 'hold-expired' | 'requote' | 'below-minimum' | 'placed' }>
  | { kind: 'hold-expired' | 'requote' };

/** Races are lost to another call of the same buyer's, or to the clock: a handful of looks settles them. */
const looksMax = 5;

export function createCheckout(deps: CheckoutDeps): Checkout {
  const { orders, holds, units, quotes, termsOf, advance, wake, clock } = deps;
  const askPayment = createPaymentStep(deps);

  /** The quote that is billed: the newer one where it is good for this cart, else the frozen one. */
  const agree = (frozen: Quote, request: PayRequest): Quote | null => {
    const newer = request.quote === undefined ? null : quotes.open(request.quote);
    if (
      request.quote !== undefined &&
      (!newer || !replaces(newer, frozen) || clock.now() >= newer.expiresAtMs)
    ) {
      return null;
    }
    const quote = newer ?? frozen;
    return isDestination(quote.destination, request.contact.address) ? quote : null;
  };

  const place = async (request: PayRequest): Promise<Order | Refused | null> => {
    const hold = await holds.find(request.holdId);
    if (!hold || hold.buyerId !== request.buyerId) throw noSuchHold();
    if (hold.state === 'released' || hold.state === 'settled') return { kind: 'hold-expired' };
    const quote = agree(quoteSchema.parse(JSON.parse(hold.frozen)), request);
    if (!quote) return { kind: 'requote' };
    const { currency } = quote;
    const least = missedLeastAmount({ amount: quote.totalAmount, currency });
    if (least !== null) return { kind: 'below-minimum', minimum: { amount: least, currency } };
    const terms = await termsOf(hold.dropId);
    if (!terms) throw new Error(`there is no document of ${hold.dropId}`);
    const order = orderOf(hold, { quote, terms, contact: request.contact, nowMs: clock.now() });
    // Null where another call inserted it first: the document decides.
    return (await orders.insert(order)) ? order : null;
  };

  /** Extends the hold into its payment window and writes down that a payment is about to be made. */
  const openWindow = async (order: Order): Promise<Order | { kind: 'hold-expired' | 'sold-out' } | null> => {
    const { orderId, dropId, holdId } = order;
    if (order.payDeadlineMs === null || (order.intent && order.intent.startedAtMs === null)) {
      const hold = await holds.pay(dropId, holdId, couponOf(order));
      if (hold.kind !== 'paying') return expire(order, 'hold-expired');
      const { payDeadlineMs } = hold;
      // A method may take the money by itself once the buyer has the secret: then the units are the order's already.
      const isAhead = order.intent?.params.capture === 'where-possible' && order.serials.length === 0;
      const claim = isAhead ? await units.claim(claimOf(order)) : null;
      if (claim?.kind === 'none-free') return expire(order, 'sold-out');
      const set = {
        payDeadlineMs,
        ...(claim ? { serials: claim.serials } : {}),
        dueAtMs: dueWhilePending(clock.now(), payDeadlineMs),
        ...(order.intent ? { intentStartedAtMs: clock.now() } : {}),
      };
      const open = await orders.edit({ orderId, from: ['pending'], set });
      if (!open && claim) await releaseIfEnded(orderId);
      return open;
    }
    return clock.now() < order.payDeadlineMs ? order : expire(order, 'window-ended');
  };

  /** Ended meanwhile by somebody else: what was claimed just now must not stay with it. */
  const releaseIfEnded = async (orderId: OrderId): Promise<void> => {
    const now = await orders.find(orderId);
    if (now && endedUnpaid(now.status)) await units.release(orderId);
  };

  const expire = async (
    order: Order,
    reason: OrderReason & ('hold-expired' | 'window-ended' | 'sold-out'),
  ) => {
    const { orderId } = order;
    const set = { reason, dueAtMs: clock.now() };
    const closing = await orders.move({ orderId, from: ['pending'], to: 'closing', set });
    if (!closing) return null;
    wake(closing);
    return { kind: reason === 'sold-out' ? reason : 'hold-expired' } as const;
  };

  const finishFree = async (order: Order): Promise<PayOutcome> => {
    const { orderId } = order;
    const authorizedAtMs = clock.now();
    await orders.move({ orderId, from: ['pending'], to: 'authorized', set: { authorizedAtMs } });
    const ended = await advance(orderId);
    return outcomeOf(ended ?? order);
  };

  return {
    async pay(request) {
      const orderId = orderIdOf(request.holdId);
      for (let looks = 0; looks < looksMax; looks += 1) {
        const known = await orders.find(orderId);
        if (known && known.buyerId !== request.buyerId) throw noSuchHold();
        if (known && known.status !== 'pending') return outcomeOf(known);
        const order = known ? await renew(known, request) : await place(request);
        if (order === null) continue;
        if ('kind' in order) return order;
        if (order.status !== 'pending') return outcomeOf(order);
        const open = await openWindow(order);
        if (open === null) continue;
        if ('kind' in open) return open;
        const outcome = open.intent ? await askPayment(open) : await finishFree(open);
        if (outcome) return outcome;
      }
      throw new PublicError('unavailable', 'The order is being changed at the same time: try again', {
        retryAfterMs: 500,
      });
    },
  };

  /** Called again before confirmation: the contact is brought up to date, and the quote while no payment was begun. */
  async function renew(order: Order, request: PayRequest): Promise<Order | Refused | null> {
    const quote = agree(order.quote, request);
    if (!quote) return { kind: 'requote' };
    const { orderId } = order;
    const sameBill = quote.totalAmount === order.quote.totalAmount && quote.currency === order.quote.currency;
    // The payment that exists is over another amount, and its secret may have been used already.
    if (!sameBill) return { kind: 'placed', orderId, status: 'pending' };
    return orders.edit({ orderId, from: ['pending'], set: { contact: request.contact, quote } });
  }
}

/** Makes the payment, or finds it, and hands out its secret. Null: the order has moved on, look again. */
function createPaymentStep(deps: CheckoutDeps): (order: Order) => Promise<PayOutcome | null> {
  const { orders, payments, wake, clock, paymentsAddress, log } = deps;

  const ask = async (order: Order): Promise<PaymentAnswer> => {
    const { intent } = order;
    if (!intent) throw new Error('there is nothing to pay');
    try {
      return intent.id === null
        ? await payments.create({ idempotencyKey: intent.idempotencyKey, params: intent.params })
        : await payments.retrieve(intent.id);
    } catch (error) {
      if (!(error instanceof PaymentsUnavailable)) throw error;
      if (error instanceof PaymentsBusy) {
        throw new PublicError(
          'unavailable',
          'Many are paying at this moment, and nothing is lost: try again',
          {
            retryAfterMs: Math.max(error.retryAfterMs, 500),
            cause: error,
          },
        );
      }
      throw new PublicError('unavailable', 'The payment provider does not answer: try again', {
        retryAfterMs: 1_000,
        cause: error,
      });
    }
  };

  /** Ours was made after the order had been given up, and is not the one that the order knows: nobody may pay it. */
  const discard = async (order: Order, payment: Payment): Promise<null> => {
    const now = await orders.find(order.orderId);
    if (now && now.status !== 'pending' && now.intent?.id !== payment.id) {
      // Where this fails, the order's own closing makes the same payment again under its key, and cancels it.
      await payments.cancel(payment.id).catch((error: unknown) => {
        log.warn(
          { err: error, orderId: order.orderId },
          'checkout: a payment that nobody can pay is left open',
        );
      });
    }
    return null;
  };

  return async order => {
    const { orderId } = order;
    const answer = await ask(order);
    if (answer.kind === 'refused') {
      log.warn({ orderId, code: answer.code }, 'checkout: the payment was refused');
      const reason = 'payment-refused' as const;
      const set = { reason, dueAtMs: clock.now() };
      const closing = await orders.move({ orderId, from: ['pending'], to: 'closing', set });
      if (closing) wake(closing);
      return null;
    }
    const { payment } = answer;
    if (order.intent?.id === null) {
      const stored = await orders.edit({ orderId, from: ['pending'], set: { intentId: payment.id } });
      if (!stored) return discard(order, payment);
    }
    if (isMoneyCertain(payment.status)) {
      // Paid already; the news of it is still on its way.
      const nowMs = clock.now();
      const set = { authorizedAtMs: nowMs, intentStatus: payment.status, dueAtMs: nowMs };
      const authorized = await orders.move({ orderId, from: ['pending'], to: 'authorized', set });
      if (authorized) wake(authorized);
      return null;
    }
    if (payment.status === 'canceled') {
      const reason = 'payment-cancelled' as const;
      const set = { reason, dueAtMs: clock.now() };
      const closing = await orders.move({ orderId, from: ['pending'], to: 'closing', set });
      if (closing) wake(closing);
      return null;
    }
    if (payment.status === 'processing' || payment.clientSecret === null || order.payDeadlineMs === null) {
      return { kind: 'placed', orderId, status: order.status };
    }
    return {
      kind: 'payable',
      orderId,
      clientSecret: payment.clientSecret,
      payments: paymentsAddress,
      expiresAtMs: order.payDeadlineMs,
    };
  };
}

function outcomeOf(order: Order): PayOutcome {
  const { orderId, status, reason } = order;
  if (order.intent === null && wasPaid(status)) return { kind: 'paid', orderId, serials: order.serials };
  const neverAsked = order.intent === null || order.intent.startedAtMs === null;
  const isClosed = status === 'closing' || status === 'cancelled';
  if (neverAsked && isClosed && reason === 'sold-out') return { kind: 'sold-out' };
  const overTime = reason === 'hold-expired' || reason === 'window-ended';
  if ((status === 'closing' || status === 'expired') && overTime) return { kind: 'hold-expired' };
  return { kind: 'placed', orderId, status };
}

function orderOf(
  hold: HoldView,
  made: { quote: Quote; terms: OrderTerms; contact: Contact; nowMs: number },
): Order {
  const { holdId, dropId, buyerId } = hold;
  const { quote, terms, contact, nowMs } = made;
  const orderId = orderIdOf(holdId);
  return {
    orderId,
    holdId,
    dropId,
    buyerId,
    status: 'pending',
    reason: null,
    rev: 0,
    quote,
    proposed: [...hold.proposed].map(([sku, serial]) => ({ sku, serial })),
    serials: [],
    refundedAmount: 0,
    refunds: [],
    refundsRev: 0,
    contact,
    intent:
      quote.totalAmount === 0
        ? null
        : {
            idempotencyKey: `${orderId}-pay`,
            params: {
              amount: quote.totalAmount,
              currency: quote.currency,
              metadata: metadataOfOrder({ orderId, dropId, lines: quote.lines }),
              capture: terms.delayedMethods ? 'where-possible' : 'manual',
            },
            startedAtMs: null,
            id: null,
            status: null,
          },
    terms: { perCardMax: terms.perCardMax, delayedMethods: terms.delayedMethods },
    card: null,
    cardCountedAtMs: null,
    declines: [],
    payDeadlineMs: null,
    createdAtMs: nowMs,
    authorizedAtMs: null,
    paidAtMs: null,
    settledAtMs: null,
    endedAtMs: null,
    releasedAtMs: null,
    dispute: null,
    erasedAtMs: null,
    // Until the hold runs out the buyer may come back and try again; after that somebody must clear up.
    dueAtMs: Math.max(hold.expiresAtMs, nowMs) + limits.payGraceMs,
    attempts: 0,
    history: [{ status: 'pending', atMs: nowMs }],
  };
}

/** A newer quote may change what a cart costs, never whose or what it is. */
function replaces(newer: Quote, frozen: Quote): boolean {
  const cart = (quote: Quote) =>
    JSON.stringify(
      quote.lines
        .map(({ sku, quantity }) => [sku, quantity])
        .toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
    );
  return (
    newer.buyerId === frozen.buyerId &&
    newer.dropId === frozen.dropId &&
    newer.currency === frozen.currency &&
    // Where prices fall, a hold keeps the price of its own instant: waiting with it makes nothing cheaper.
    newer.pricedAtMs === frozen.pricedAtMs &&
    cart(newer) === cart(frozen)
  );
}

function noSuchHold(): PublicError {
  return new PublicError('not-found', 'There is no such hold');
}
