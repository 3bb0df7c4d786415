// Payments over Stripe. What always holds: an answer is either certain, or it is thrown as PaymentsUnavailable.
//
// PaymentIntents are made with automatic payment methods: Stripe offers those of the account's methods that fit the
// currency, the amount and the buyer's country. (The pinned version knows no `payment_method_types` any more.) With manual
// capture only those remain that can be authorised first and captured later; where a drop allows delayed methods, cards
// alone are captured by us. Redirects are off: a card's 3-D Secure runs inside the page.
import { setTimeout } from 'node:timers/promises';
import { Stripe } from 'stripe';
import { z } from 'zod';
import { limits } from '../limits.ts';
import { intentStatuses } from '../orders/order.rules.ts';
import { retryAfterHeader } from './booked-requests.ts';
import {
  PaymentsBusy,
  PaymentsUnavailable,
  type Payment,
  type PaymentAnswer,
  type PaymentDispute,
  type PaymentRefund,
  type Payments,
} from './payments.ts';

const intentSchema = z.object({
  id: z.string(),
  status: z.enum(intentStatuses),
  amount: z.int(),
  amount_received: z.int(),
  currency: z.string(),
  client_secret: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
  latest_charge: z.unknown(),
  last_payment_error: z.unknown(),
});

export function createPayments(stripe: Stripe): Payments {
  /** Creations under way, by key: a buyer who asks ten times at once makes one request. */
  const underWay = new Map<string, Promise<PaymentAnswer>>();

  const create = ({ idempotencyKey, params }: Parameters<Payments['create']>[0]) =>
    ask('create', () =>
      stripe.paymentIntents.create(
        {
          amount: toStripeAmount(params.amount, params.currency),
          currency: params.currency.toLowerCase(),
          ...(params.capture === 'manual'
            ? { capture_method: 'manual' }
            : { payment_method_options: { card: { capture_method: 'manual' } } }),
          automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
          metadata: { ...params.metadata },
        },
        { idempotencyKey },
      ),
    );

  return {
    create(request) {
      const { idempotencyKey } = request;
      const creation =
        underWay.get(idempotencyKey) ?? create(request).finally(() => underWay.delete(idempotencyKey));
      underWay.set(idempotencyKey, creation);
      return creation;
    },
    retrieve: id => ask('retrieve', () => stripe.paymentIntents.retrieve(id)),
    async cardFingerprint(id) {
      let intent: unknown;
      try {
        intent = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
      } catch (error) {
        throw uncertain('fingerprint', error);
      }
      const charge = chargedCardSchema.safeParse(intent).data?.latest_charge;
      return charge?.payment_method_details.card?.fingerprint ?? null;
    },
    cancel: id => ask('cancel', () => stripe.paymentIntents.cancel(id)),
    capture: ({ id, idempotencyKey, metadata }) =>
      ask('capture', () =>
        stripe.paymentIntents.capture(id, { metadata: { ...metadata } }, { idempotencyKey }),
      ),
    annotate: (id, metadata) =>
      ask('annotate', () => stripe.paymentIntents.update(id, { metadata: { ...metadata } })),
    async refund({ id, idempotencyKey, amount, metadata }) {
      let answer: unknown;
      try {
        answer = await stripe.refunds.create(
          {
            payment_intent: id,
            ...(amount ? { amount: toStripeAmount(amount.amount, amount.currency) } : {}),
            ...(metadata ? { metadata: { ...metadata } } : {}),
          },
          { idempotencyKey },
        );
      } catch (error) {
        const code = certainRefusal('refund', error);
        return code === 'charge_already_refunded' && !amount
          ? { kind: 'refunded', refund: null }
          : { kind: 'refused', code };
      }
      return { kind: 'refunded', refund: readRefund(answer) };
    },
    async refunds(id) {
      const found: PaymentRefund[] = [];
      try {
        for await (const refund of stripe.refunds.list({ payment_intent: id, limit: 100 }))
          found.push(readRefund(refund));
      } catch (error) {
        throw uncertain('refunds', error);
      }
      return found;
    },
  };
}

const chargedCardSchema = z.object({
  latest_charge: z.object({
    payment_method_details: z.object({ card: z.object({ fingerprint: z.string().nullish() }).nullish() }),
  }),
});

const refundSchema = z.object({
  id: z.string(),
  amount: z.int(),
  currency: z.string(),
  status: z.string().nullish(),
  payment_intent: z.string().nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

const disputeSchema = z.object({
  id: z.string(),
  payment_intent: z.string().nullish(),
  status: z.string(),
  reason: z.string(),
  amount: z.int(),
  currency: z.string(),
});

/** Reads a dispute from an event. Throws where it is none. */
export function readDispute(object: unknown): PaymentDispute {
  const { id, payment_intent, status, reason, amount, currency } = disputeSchema.parse(object);
  return {
    id,
    paymentId: payment_intent ?? null,
    status,
    reason,
    amount: fromStripeAmount(amount, currency.toUpperCase()),
  };
}

/** Reads a refund, from an answer or from an event. Throws where it is none. */
export function readRefund(object: unknown): PaymentRefund {
  const refund = refundSchema.parse(object);
  return {
    id: refund.id,
    paymentId: refund.payment_intent ?? null,
    amount: fromStripeAmount(refund.amount, refund.currency.toUpperCase()),
    holds: refund.status !== 'failed' && refund.status !== 'canceled',
    metadata: refund.metadata ?? {},
  };
}

/** Reads a PaymentIntent, from an answer or from an event. Throws where it is none. */
export function readPayment(object: unknown): Payment {
  const intent = intentSchema.parse(object);
  const currency = intent.currency.toUpperCase();
  return {
    id: intent.id,
    status: intent.status,
    amount: fromStripeAmount(intent.amount, currency),
    currency,
    receivedAmount: fromStripeAmount(intent.amount_received, currency),
    clientSecret: intent.client_secret ?? null,
    metadata: intent.metadata ?? {},
    // A charge without an error on a cancelled payment is an authorisation that was let go.
    wasAuthorized:
      intent.status === 'canceled' && Boolean(intent.latest_charge) && !intent.last_payment_error,
  };
}

async function ask(what: string, call: () => Promise<unknown>): Promise<PaymentAnswer> {
  let answer: unknown;
  try {
    answer = await whenKeyIsFree(call);
  } catch (error) {
    return { kind: 'refused', code: certainRefusal(what, error) };
  }
  return { kind: 'payment', payment: readPayment(answer) };
}

/**
 * Another process may be making the same request under the same key: its answer will be ours, a moment later. The
 * library's own tries are few and meant for faults; this waits for as long as one request may take.
 */
async function whenKeyIsFree(call: () => Promise<unknown>): Promise<unknown> {
  const giveUpAtMs = performance.now() + limits.stripeTimeoutMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      const inUse = error instanceof Stripe.errors.StripeError && error.code === 'idempotency_key_in_use';
      if (!inUse || performance.now() >= giveUpAtMs) throw error;
      await setTimeout(limits.keyInUseRetryMs * (0.5 + Math.random()));
    }
  }
}

/**
 * Only these are certain: the request was understood and turned down (400, 404), or the card was (402). No answer, 409
 * and 429 (locks and limits), 5xx are not; nor are 401 and 403, since a wrong key says nothing about the payment, nor
 * a key that was used for another request, since that is our fault and a human must look.
 * (docs.stripe.com/error-low-level: "treat the result as indeterminate".)
 */
function certainRefusal(what: string, error: unknown): string {
  if (error instanceof Stripe.errors.StripeCardError) return error.code ?? 'card_error';
  if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code !== 'lock_timeout') {
    return error.code ?? 'invalid_request';
  }
  throw uncertain(what, error);
}

/** A 429 says that nothing was done, whoever says it (docs.stripe.com/rate-limits); the rest is not known. */
export function uncertain(what: string, error: unknown): PaymentsUnavailable {
  if (!(error instanceof Stripe.errors.StripeRateLimitError) || error.code === 'lock_timeout')
    return new PaymentsUnavailable(what, error);
  const told = Number(error.headers?.[retryAfterHeader]);
  return new PaymentsBusy(what, error, Number.isFinite(told) ? told : limits.stripeBusyPauseMs);
}

/**
 * Stripe counts these two in hundredths although they have none: their amounts end in 00
 * (docs.stripe.com/currencies, "Special cases").
 */
const countedInHundredths: ReadonlySet<string> = new Set(['ISK', 'UGX']);

function toStripeAmount(amount: number, currency: string): number {
  return countedInHundredths.has(currency) ? amount * 100 : amount;
}

function fromStripeAmount(amount: number, currency: string): number {
  return countedInHundredths.has(currency) ? amount / 100 : amount;
}
