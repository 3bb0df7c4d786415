// `admin.order.*`: what the shop sees of orders, and does with them.
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { buyerIdSchema, dropIdSchema, holdIdSchema, orderIdSchema, refundIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { moneyOutputSchema } from '../money.ts';
import { staffProcedure, router } from '../trpc.ts';
import { adminOrderOutput, adminOrderOutputSchema, pageInput } from './order-output.ts';
import { unitRefSchema } from './order.ts';
import { orderStatuses } from './order.rules.ts';
import type { Orders } from './orders.ts';
import { listPage, orderInputSchema } from './orders.router.ts';
import type { Refund } from './refunds.ts';

export const adminOrderListInputSchema = z.strictObject({
  ...pageInput,
  dropId: dropIdSchema.optional(),
  status: z.enum(orderStatuses).optional(),
  buyerId: buyerIdSchema.optional(),
  holdId: holdIdSchema.optional(),
  /** The payment's id at Stripe. */
  paymentId: z
    .string()
    .regex(/^pi_[A-Za-z0-9_]{1,120}$/, 'a payment id')
    .optional(),
});
export const adminOrderListOutputSchema = z.object({
  items: z.array(adminOrderOutputSchema),
  nextCursor: z.string().optional(),
});
const refusedSchema = z.object({ kind: z.literal('refused'), status: z.enum(orderStatuses) });
/** `cancelling`: on its way; a payment that was made in time still overrules it, and the status says which it was. */
export const cancelOutputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('cancelling'), status: z.enum(orderStatuses) }),
  refusedSchema,
]);
export const fulfilOutputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('fulfilled') }),
  refusedSchema,
]);

export const refundInputSchema = z.strictObject({
  refundId: refundIdSchema,
  orderId: orderIdSchema,
  /** In minor units; absent: all that is left. */
  amount: z.int().min(1).max(limits.amountMinorMax).optional(),
  restock: z.union([
    z.boolean(),
    z
      .array(unitRefSchema.strict())
      .min(1)
      .max(limits.cartLinesCount * limits.lineQuantityCount),
  ]),
});
const refundProgress = {
  refundId: z.string(),
  status: z.enum(orderStatuses),
  amount: moneyOutputSchema,
  refundedAmount: moneyOutputSchema,
  restocked: z.array(unitRefSchema),
};
export const refundOutputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['refunded', 'refunding']), ...refundProgress }),
  z.object({ kind: z.literal('failed'), code: z.string(), ...refundProgress }),
  refusedSchema,
  z.object({ kind: z.literal('too-much'), refundable: moneyOutputSchema }),
  z.object({ kind: z.literal('not-restockable'), units: z.array(unitRefSchema) }),
  z.object({ kind: z.literal('conflict') }),
]);

export function createAdminOrdersRouter(orders: Orders, refund: Refund) {
  return router({
    get: staffProcedure('operator')
      .input(orderInputSchema)
      .output(adminOrderOutputSchema)
      .query(async ({ input }) => {
        const order = await orders.find(input.orderId);
        if (!order) throw new PublicError('not-found', 'There is no such order');
        return adminOrderOutput(order);
      }),
    list: staffProcedure('operator')
      .input(adminOrderListInputSchema)
      .output(adminOrderListOutputSchema)
      .query(({ input }) => listPage(orders, input, adminOrderOutput)),
    cancel: staffProcedure('operator')
      .input(orderInputSchema)
      .output(cancelOutputSchema)
      .mutation(({ input }) => orders.cancel(input.orderId)),
    fulfil: staffProcedure('operator')
      .input(orderInputSchema)
      .output(fulfilOutputSchema)
      .mutation(({ input }) => orders.fulfil(input.orderId)),
    refund: staffProcedure('admin')
      .input(refundInputSchema)
      .output(refundOutputSchema)
      .mutation(({ input }) => refund(input)),
  });
}
