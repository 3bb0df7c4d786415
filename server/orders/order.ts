// An order, as its document keeps it. Who bought is personal and stands in `contact` alone, so that erasing it
// leaves the books as they are.
import { z } from 'zod';
import {
  buyerIdSchema,
  dropIdSchema,
  holdIdSchema,
  orderIdSchema,
  refundIdSchema,
  skuSchema,
} from '../ids.ts';
import { quoteSchema } from '../pricing/quote.ts';
import { intentStatuses, orderReasons, orderStatuses } from './order.rules.ts';

export const contactSchema = z.object({
  email: z.string(),
  address: z.object({
    name: z.string(),
    line1: z.string(),
    line2: z.string().optional(),
    city: z.string(),
    postcode: z.string().optional(),
    state: z.string().optional(),
    country: z.string(),
  }),
});
export type Contact = z.infer<typeof contactSchema>;

export const unitRefSchema = z.object({ sku: skuSchema, serial: z.int().min(1) });
export type UnitRef = z.infer<typeof unitRefSchema>;

/** The Stripe call that makes the payment, written down before it is made, so that it can be made again word by word. */
export const intentRecordSchema = z.object({
  idempotencyKey: z.string(),
  params: z.object({
    /** In minor units. */
    amount: z.int(),
    currency: z.string(),
    metadata: z.record(z.string(), z.string()),
    /**
     * `manual`: only methods that are authorised first are offered. `where-possible`: cards are, other methods take the
     * money at once or days later, so the units are claimed before the secret is handed out.
     */
    capture: z.enum(['manual', 'where-possible']).default('manual'),
  }),
  /** Set before the first call: while it is null, no PaymentIntent can exist. */
  startedAtMs: z.number().nullable(),
  /** Set before the secret is handed out: while it is null, nobody can have paid. */
  id: z.string().nullable(),
  status: z.enum(intentStatuses).nullable(),
});
export type IntentRecord = z.infer<typeof intentRecordSchema>;

/** A refund, written down with everything that it takes before Stripe hears of it. */
export const refundRecordSchema = z.object({
  /** The shop's own id, or Stripe's where the refund was made at its dashboard. */
  refundId: refundIdSchema,
  source: z.enum(['shop', 'provider']),
  /** What was asked for: the same id with anything else is a conflict. Null where nobody asked us. */
  asked: z.string().nullable(),
  /** In minor units; 0 where there is nothing to give back but units. */
  amount: z.int(),
  /** The units that go back to the shelf with it. */
  restock: z.array(unitRefSchema),
  /** `asked`: the money may be on its way. `refunded`: Stripe has it. `failed`: it will not be given back. */
  status: z.enum(['asked', 'refunded', 'failed']),
  /** The key of the call that is made or was made last, and when: null before the first. */
  call: z.object({ idempotencyKey: z.string(), startedAtMs: z.number() }).nullable(),
  paymentRefundId: z.string().nullable(),
  /** Why it failed, in Stripe's words. */
  code: z.string().nullable(),
  askedAtMs: z.number(),
  /** When the units were back; null while they are not, or where there are none. */
  restockedAtMs: z.number().nullable(),
});
export type RefundRecord = z.infer<typeof refundRecordSchema>;

/** A payment that its holder's bank has taken back, or asks about. */
export const disputeSchema = z.object({
  id: z.string(),
  /** In Stripe's words: `needs_response`, `under_review`, `won`, `lost`, `warning_…`. */
  status: z.string(),
  reason: z.string(),
  /** In minor units. */
  amount: z.int(),
  atMs: z.number(),
});
export type Dispute = z.infer<typeof disputeSchema>;

/** What the drop said when the order was placed. */
export const orderTermsSchema = z.object({
  /** The most units for one card; null without a limit. */
  perCardMax: z.int().nullable(),
  /** Whether methods without manual capture may be offered. */
  delayedMethods: z.boolean(),
});
export type OrderTerms = z.infer<typeof orderTermsSchema>;

export const orderSchema = z.object({
  orderId: orderIdSchema,
  holdId: holdIdSchema,
  dropId: dropIdSchema,
  buyerId: buyerIdSchema,
  status: z.enum(orderStatuses),
  reason: z.enum(orderReasons).nullable(),
  /** Counts the changes of status. */
  rev: z.int(),
  /** What is billed: frozen from the hold, or replaced by a newer quote of the same cart before a payment was begun. */
  quote: quoteSchema,
  /** The first serial of each SKU that Redis proposed; the ledger decides. */
  proposed: z.array(unitRefSchema),
  /** The units that the ledger gave; written before the capture, and before the secret where a method may take the money at once. */
  serials: z.array(unitRefSchema),
  /** In minor units of the quote's currency. */
  refundedAmount: z.int(),
  refunds: z.array(refundRecordSchema).default([]),
  /** Counts the changes of `refunds`: each is a compare-and-set on it. */
  refundsRev: z.int().default(0),
  contact: contactSchema,
  terms: orderTermsSchema.default({ perCardMax: null, delayedMethods: false }),
  /** Null where there is nothing to pay. */
  intent: intentRecordSchema.nullable(),
  /** The events that told of a declined attempt, each once. */
  declines: z.array(z.string()),
  /** The card that it was authorised with, as a keyed hash; null where no limit asks for it, or its buyer had it erased. */
  card: z.string().nullable().default(null),
  /** When its units were counted against the limit of its card, or it was seen that no card was used. */
  cardCountedAtMs: z.number().nullable().default(null),
  /** The end of the payment window; null until the hold was extended into it. */
  payDeadlineMs: z.number().nullable(),
  createdAtMs: z.number(),
  authorizedAtMs: z.number().nullable(),
  paidAtMs: z.number().nullable(),
  /** When the hold of a paid order was settled. */
  settledAtMs: z.number().nullable().default(null),
  endedAtMs: z.number().nullable(),
  releasedAtMs: z.number().nullable(),
  dispute: disputeSchema.nullable().default(null),
  /** When its buyer had it pseudonymised. */
  erasedAtMs: z.number().nullable().default(null),
  /** The outbox: when the next step is due, null when nothing is. */
  dueAtMs: z.number().nullable(),
  /** Failed tries of the present step. */
  attempts: z.int(),
  history: z.array(z.object({ status: z.enum(orderStatuses), atMs: z.number() })),
});
export type Order = z.infer<typeof orderSchema>;
