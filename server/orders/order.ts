// An order, as its document keeps it. Who bought is personal and stands in `contact` alone, so that erasing it
// leaves the books as they are.
import { z } from 'zod';
import { buyerIdSchema, dropIdSchema, holdIdSchema, orderIdSchema, skuSchema } from '../ids.ts';
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
  }),
  /** Set before the first call: while it is null, no PaymentIntent can exist. */
  startedAtMs: z.number().nullable(),
  /** Set before the secret is handed out: while it is null, nobody can have paid. */
  id: z.string().nullable(),
  status: z.enum(intentStatuses).nullable(),
});
export type IntentRecord = z.infer<typeof intentRecordSchema>;

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
  /** The units that the ledger gave; written before the capture. */
  serials: z.array(unitRefSchema),
  /** In minor units of the quote's currency. */
  refundedAmount: z.int(),
  contact: contactSchema,
  /** Null where there is nothing to pay. */
  intent: intentRecordSchema.nullable(),
  /** The events that told of a declined attempt, each once. */
  declines: z.array(z.string()),
  /** The end of the payment window; null until the hold was extended into it. */
  payDeadlineMs: z.number().nullable(),
  createdAtMs: z.number(),
  authorizedAtMs: z.number().nullable(),
  paidAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  releasedAtMs: z.number().nullable(),
  /** The outbox: when the next step is due, null when nothing is. */
  dueAtMs: z.number().nullable(),
  /** Failed tries of the present step. */
  attempts: z.int(),
  history: z.array(z.object({ status: z.enum(orderStatuses), atMs: z.number() })),
});
export type Order = z.infer<typeof orderSchema>;
