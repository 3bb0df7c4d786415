// An event of Stripe's, stored if it is about an order of ours: from its webhook, or found by the sweep.
import type { Stripe } from 'stripe';
import { orderIdSchema } from '../ids.ts';
import type { EventsStore } from './events.store.ts';

export type StoreEvent = (arrived: {
  event: Stripe.Event;
  /** The body, word for word where it came as one. */
  raw: string;
  nowMs: number;
  /** When the relay takes it up, unless its job is done by then. */
  dueAtMs: number;
}) => Promise<'stored' | 'known' | 'ignored'>;

export function createStoreEvent(deps: {
  events: Pick<EventsStore, 'insert'>;
  /** Whether a payment is one of ours: a refund made at the dashboard names no order. */
  ownsPayment: (paymentId: string) => Promise<boolean>;
}): StoreEvent {
  const { events, ownsPayment } = deps;
  return async ({ event, raw, nowMs, dueAtMs }) => {
    const paymentId = paymentOf(event);
    // A payment of ours names its order; what happens to its charge later names the payment alone.
    const mayNameNoOrder = paymentId !== null && !event.type.startsWith('payment_intent.');
    if (!namesOurOrder(event) && !(mayNameNoOrder && (await ownsPayment(paymentId)))) return 'ignored';
    const { id: eventId, type } = event;
    const fresh = await events.insert({ eventId, type, raw, paymentId, receivedAtMs: nowMs, dueAtMs });
    return fresh ? 'stored' : 'known';
  };
}

/** An account may be shared with another shop: a payment without an order of ours is not ours to store. */
function namesOurOrder(event: Stripe.Event): boolean {
  const object: unknown = event.data.object;
  if (typeof object !== 'object' || object === null || !('metadata' in object)) return false;
  const { metadata } = object;
  if (typeof metadata !== 'object' || metadata === null || !('order' in metadata)) return false;
  return orderIdSchema.safeParse(metadata.order).success;
}

/** The payment that an event is about: a refund made at the dashboard names nothing else of ours. */
function paymentOf(event: Stripe.Event): string | null {
  const object: unknown = event.data.object;
  if (typeof object !== 'object' || object === null) return null;
  const isPayment = event.type.startsWith('payment_intent.');
  if (isPayment && 'id' in object && typeof object.id === 'string') return object.id;
  return 'payment_intent' in object && typeof object.payment_intent === 'string'
    ? object.payment_intent
    : null;
}
