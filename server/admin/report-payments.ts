// Every payment of a drop, as Stripe lists them. The list, not the search: search lags behind by minutes.
import type Stripe from 'stripe';
import { z } from 'zod';
import type { DropId } from '../ids.ts';
import { readPayment } from '../payments/payments.gateway.ts';

export interface DropPayment {
  readonly paymentId: string;
  /** The order that its metadata names; '' where it names none. */
  readonly orderId: string;
  readonly status: string;
  readonly currency: string;
  /** In minor units, as all amounts here. */
  readonly amount: number;
  readonly receivedAmount: number;
  /** What was paid back of what was received. */
  readonly refundedAmount: number;
  /** When the card was authorised, to the second; null where it never was. */
  readonly authorizedAtMs: number | null;
}

export type ListDropPayments = (options: { dropId: DropId; sinceMs: number }) => Promise<DropPayment[]>;

const chargeSchema = z.object({
  created: z.int(),
  status: z.string(),
  amount: z.int(),
  amount_refunded: z.int(),
});

/** Stripe's clock and ours may differ; a payment is never this much older than its drop. */
const clockSlackMs = 10 * 60_000;

export function createListDropPayments(stripe: Pick<Stripe, 'paymentIntents'>): ListDropPayments {
  return async ({ dropId, sinceMs }) => {
    const payments: DropPayment[] = [];
    const list = stripe.paymentIntents.list({
      created: { gte: Math.floor((sinceMs - clockSlackMs) / 1_000) },
      limit: 100,
      expand: ['data.latest_charge'],
    });
    for await (const intent of list) {
      if (intent.metadata['drop'] === dropId) payments.push(readDropPayment(intent));
    }
    return payments;
  };
}

function readDropPayment(intent: Stripe.PaymentIntent): DropPayment {
  const payment = readPayment(intent);
  const charge = chargeSchema.safeParse(intent.latest_charge).data;
  const authorized = charge?.status === 'succeeded' ? charge : null;
  // An authorisation that is let go shows as refunded at Stripe, although nothing was received.
  const refundedShare =
    authorized && authorized.amount > 0 ? authorized.amount_refunded / authorized.amount : 0;
  return {
    paymentId: payment.id,
    orderId: payment.metadata['order'] ?? '',
    status: payment.status,
    currency: payment.currency,
    amount: payment.amount,
    receivedAmount: payment.receivedAmount,
    refundedAmount: Math.round(payment.receivedAmount * refundedShare),
    authorizedAtMs: authorized ? authorized.created * 1_000 : null,
  };
}
