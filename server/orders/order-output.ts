// Orders as the API shows them.
import { z } from 'zod';
import { orderIdSchema, type OrderId } from '../ids.ts';
import { limits } from '../limits.ts';
import { moneyOutputSchema } from '../money.ts';
import { linesOutput, shownLines, shownTaxes, taxesOutput } from '../pricing/shown-cart.ts';
import { contactSchema, disputeSchema, refundRecordSchema, unitRefSchema, type Order } from './order.ts';
import { orderReasons, orderStatuses, wasPaid } from './order.rules.ts';
import { keptUnits } from './refund.rules.ts';

const serialsSchema = z.array(z.object({ sku: z.string(), serial: z.int() }));

export const orderOutputSchema = z.object({
  orderId: z.string(),
  holdId: z.string(),
  dropId: z.string(),
  status: z.enum(orderStatuses),
  reason: z.enum(orderReasons).optional(),
  lines: linesOutput,
  coupon: z.string().optional(),
  /** The numbers of the units, once they are paid; those that were sent back are no longer among them. */
  serials: serialsSchema,
  totals: z.object({
    subtotal: moneyOutputSchema,
    discount: moneyOutputSchema,
    shipping: moneyOutputSchema,
    tax: moneyOutputSchema,
    taxes: taxesOutput,
    taxIncluded: z.boolean(),
    total: moneyOutputSchema,
  }),
  refundedAmount: moneyOutputSchema,
  createdAtMs: z.number(),
  paidAtMs: z.number().optional(),
});
export type OrderOutput = z.infer<typeof orderOutputSchema>;

/** What the shop sees besides: who bought, and how it went. */
export const adminOrderOutputSchema = orderOutputSchema.extend({
  buyerId: z.string(),
  contact: contactSchema,
  paymentId: z.string().optional(),
  dispute: disputeSchema.extend({ amount: moneyOutputSchema }).optional(),
  refunds: z.array(
    z.object({
      refundId: z.string(),
      source: refundRecordSchema.shape.source,
      status: refundRecordSchema.shape.status,
      amount: moneyOutputSchema,
      restocked: z.array(unitRefSchema),
      askedAtMs: z.number(),
    }),
  ),
  history: z.array(z.object({ status: z.enum(orderStatuses), atMs: z.number() })),
});
export type AdminOrderOutput = z.infer<typeof adminOrderOutputSchema>;

/** What `order.watch` sends. */
export const orderWatchSchema = z.object({
  status: z.enum(orderStatuses),
  reason: z.enum(orderReasons).optional(),
  serials: serialsSchema.optional(),
});
export type OrderWatchOutput = z.infer<typeof orderWatchSchema>;

export function orderOutput(order: Order): OrderOutput {
  const { quote } = order;
  const money = (amount: number) => ({ amount, currency: quote.currency });
  return {
    orderId: order.orderId,
    holdId: order.holdId,
    dropId: order.dropId,
    status: order.status,
    ...reasonOf(order),
    lines: shownLines(quote),
    ...(quote.coupon === undefined ? {} : { coupon: quote.coupon }),
    serials: wasPaid(order.status) ? keptUnits(order) : [],
    totals: {
      subtotal: money(quote.subtotalAmount),
      discount: money(quote.discountAmount),
      shipping: money(quote.shippingAmount),
      tax: money(quote.taxAmount),
      taxes: shownTaxes(quote),
      taxIncluded: quote.taxIncluded,
      total: money(quote.totalAmount),
    },
    refundedAmount: money(order.refundedAmount),
    createdAtMs: order.createdAtMs,
    ...(order.paidAtMs === null ? {} : { paidAtMs: order.paidAtMs }),
  };
}

export function adminOrderOutput(order: Order): AdminOrderOutput {
  const paymentId = order.intent?.id;
  return {
    ...orderOutput(order),
    buyerId: order.buyerId,
    contact: order.contact,
    ...(paymentId ? { paymentId } : {}),
    ...(order.dispute
      ? {
          dispute: {
            ...order.dispute,
            amount: { amount: order.dispute.amount, currency: order.quote.currency },
          },
        }
      : {}),
    refunds: order.refunds.map(refund => ({
      refundId: refund.refundId,
      source: refund.source,
      status: refund.status,
      amount: { amount: refund.amount, currency: order.quote.currency },
      restocked: refund.restockedAtMs === null ? [] : refund.restock,
      askedAtMs: refund.askedAtMs,
    })),
    history: order.history,
  };
}

export function orderWatchOutput(order: Order): OrderWatchOutput {
  return {
    status: order.status,
    ...reasonOf(order),
    ...(wasPaid(order.status) ? { serials: keptUnits(order) } : {}),
  };
}

/** A reason is told once it took effect: a payment made in time overrules a closing that had begun. */
function reasonOf(order: Order): { reason?: NonNullable<Order['reason']> } {
  const ended = order.status === 'cancelling' || order.status === 'cancelled' || order.status === 'expired';
  return ended && order.reason ? { reason: order.reason } : {};
}

// --- pages ----------------------------------------------------------------------------------------------

export const pageInput = {
  cursor: z.string().max(120).optional(),
  limit: z.int().min(1).max(limits.listPageCount.max).optional(),
};

const cursorPattern = /^(\d{1,15})_(ord_.+)$/;

/** Where a list goes on; null for a text that no list of ours gave out. */
export function readCursor(cursor: string): { createdAtMs: number; orderId: OrderId } | null {
  const [, createdAtMs, id] = cursorPattern.exec(Buffer.from(cursor, 'base64url').toString('utf8')) ?? [];
  const orderId = orderIdSchema.safeParse(id);
  return createdAtMs && orderId.success ? { createdAtMs: Number(createdAtMs), orderId: orderId.data } : null;
}

export function cursorAfter(order: Order): string {
  return Buffer.from(`${order.createdAtMs}_${order.orderId}`).toString('base64url');
}
