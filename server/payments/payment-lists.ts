// Stripe's lists, a page at a time, newest first: what the sweeps walk through.
import { Stripe } from 'stripe';
import { z } from 'zod';
import { readPayment, uncertain } from './payments.gateway.ts';
import type { Payment } from './payments.ts';
import { handledEvents } from './webhook.ts';

export interface PageRequest {
  /** Not created before this second. */
  readonly fromSec: number;
  /** The page after this object; null: the first. */
  readonly after: string | null;
}

export interface Listed {
  readonly id: string;
  readonly createdSec: number;
}

export interface ListedEvent extends Listed {
  readonly event: Stripe.Event;
}

export interface ListedPayment extends Listed {
  readonly payment: Payment;
  /** How much of what was captured was given back, from 0 to 1. */
  readonly refundedShare: number;
  readonly isDisputed: boolean;
}

/** `stale`: the object to go on after is not there any more; the pass begins again. */
export type ListPage<T extends Listed> =
  | { kind: 'page'; items: readonly T[]; hasMore: boolean }
  | { kind: 'stale' };

export interface PaymentLists {
  /** Events of the kinds that say something about an order. */
  events(request: PageRequest): Promise<ListPage<ListedEvent>>;
  payments(request: PageRequest): Promise<ListPage<ListedPayment>>;
  /** The disputes of a payment, as Stripe's events carry them. */
  disputes(paymentId: string): Promise<unknown[]>;
}

/** Stripe's bound for a page. */
const pageCount = 100;

const chargeSchema = z.object({
  captured: z.boolean(),
  amount: z.int(),
  amount_refunded: z.int(),
  disputed: z.boolean(),
});

export function createPaymentLists(
  stripe: Pick<Stripe, 'events' | 'paymentIntents' | 'disputes'>,
): PaymentLists {
  const pageOf = async <T extends { id: string; created: number }, L extends Listed>(
    what: string,
    ask: () => Promise<{ data: T[]; has_more: boolean }>,
    read: (object: T) => Omit<L, keyof Listed>,
  ): Promise<
    { kind: 'page'; items: (Omit<L, keyof Listed> & Listed)[]; hasMore: boolean } | { kind: 'stale' }
  > => {
    try {
      const { data, has_more: hasMore } = await ask();
      const items = data.map(object => ({ ...read(object), id: object.id, createdSec: object.created }));
      return { kind: 'page', items, hasMore };
    } catch (error) {
      if (error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing')
        return { kind: 'stale' };
      throw uncertain(what, error);
    }
  };
  const parameters = ({ fromSec, after }: PageRequest) => ({
    created: { gte: fromSec },
    limit: pageCount,
    ...(after === null ? {} : { starting_after: after }),
  });

  return {
    events: request =>
      pageOf<Stripe.Event, ListedEvent>(
        'events',
        () => stripe.events.list({ ...parameters(request), types: [...handledEvents] }),
        event => ({ event }),
      ),
    payments: request =>
      pageOf<Stripe.PaymentIntent, ListedPayment>(
        'payments',
        () => stripe.paymentIntents.list({ ...parameters(request), expand: ['data.latest_charge'] }),
        intent => {
          const charge = chargeSchema.safeParse(intent.latest_charge).data;
          return {
            payment: readPayment(intent),
            // An authorisation that is let go counts as refunded at Stripe, although nothing was received.
            refundedShare: charge?.captured && charge.amount > 0 ? charge.amount_refunded / charge.amount : 0,
            isDisputed: charge?.disputed ?? false,
          };
        },
      ),
    async disputes(paymentId) {
      try {
        return (await stripe.disputes.list({ payment_intent: paymentId, limit: pageCount })).data;
      } catch (error) {
        throw uncertain('disputes', error);
      }
    },
  };
}
