// `POST /webhooks/stripe`: verified on the raw bytes, stored, acknowledged; worked off by a job. What is acknowledged
// is in MongoDB, so nothing is lost when the job is. What cannot be stored is answered 503, and Stripe sends it again.
import type { Stripe } from 'stripe';
import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { EventsStore } from './events.store.ts';
import { createStoreEvent } from './store-event.ts';

export interface WebhookRequest {
  readonly rawBody: Buffer;
  /** The `stripe-signature` header. */
  readonly signature: string | undefined;
  /** The engine's time: the age of a signature is not judged by this machine's own clock. */
  readonly nowMs: number;
}
export type WebhookAnswer = { status: 200 | 400 | 413 | 503; body: string };
export type Webhook = (request: WebhookRequest) => Promise<WebhookAnswer>;

/** The events that say something about an order. */
export const handledEvents: ReadonlySet<string> = new Set([
  'payment_intent.amount_capturable_updated',
  'payment_intent.succeeded',
  'payment_intent.canceled',
  'payment_intent.payment_failed',
  // Refunds may be made at Stripe's dashboard, and may fail long after they were made.
  'charge.refunded',
  'refund.created',
  'refund.updated',
  'refund.failed',
  'charge.dispute.created',
  'charge.dispute.updated',
  'charge.dispute.closed',
]);

/** The job that is asked for with the event comes sooner than the relay, which is for the case that it was lost. */
const relayAfterMs = 2_000;

export function createWebhook(deps: {
  stripe: Pick<Stripe, 'webhooks'>;
  secret: string;
  events: EventsStore;
  /** Whether a payment is one of ours: a refund made at the dashboard names no order. */
  ownsPayment: (paymentId: string) => Promise<boolean>;
  /** Asks for the job; must not throw. */
  wake: (eventId: string) => void;
  log: Logger;
  metrics: Metrics;
}): Webhook {
  const { stripe, secret, events, ownsPayment, wake, log, metrics } = deps;
  const storeEvent = createStoreEvent({ events, ownsPayment });
  const toleranceSec = limits.webhookToleranceMs / 1_000;
  const count = (kind: string) => metrics.outcomes.inc({ what: 'webhook', kind });

  return async ({ rawBody, signature, nowMs }) => {
    if (rawBody.length > limits.webhookBodyBytes) return { status: 413, body: 'too large' };
    let event: Stripe.Event;
    try {
      const { webhooks } = stripe;
      event = webhooks.constructEvent(rawBody, signature ?? '', secret, toleranceSec, undefined, nowMs);
    } catch {
      count('bad-signature');
      return { status: 400, body: 'the signature does not fit' };
    }
    const ignored = () => {
      count('ignored');
      return { status: 200, body: 'ignored' } as const;
    };
    if (!handledEvents.has(event.type)) return ignored();
    try {
      const outcome = await storeEvent({
        event,
        raw: rawBody.toString('utf8'),
        nowMs,
        dueAtMs: nowMs + relayAfterMs,
      });
      if (outcome === 'ignored') return ignored();
      const fresh = outcome === 'stored';
      count(fresh ? 'stored' : 'duplicate');
      if (fresh) wake(event.id);
      return { status: 200, body: fresh ? 'stored' : 'known' };
    } catch (error) {
      log.error(
        { err: error, eventId: event.id },
        'webhook: the event could not be stored; Stripe will send it again',
      );
      count('unstored');
      return { status: 503, body: 'try again' };
    }
  };
}
