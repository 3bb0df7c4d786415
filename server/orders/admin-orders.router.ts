// `admin.order.*`: what the shop sees of orders, and does with them.
import { z } from 'zod';
import { dropIdSchema } from '../ids.ts';
import { adminProcedure, router } from '../trpc.ts';
import { adminOrderOutput, adminOrderOutputSchema, pageInput } from './order-output.ts';
import { orderStatuses } from './order.rules.ts';
import type { Orders } from './orders.ts';
import { listPage, orderInputSchema } from './orders.router.ts';

export const adminOrderListInputSchema = z.strictObject({
  ...pageInput,
  dropId: dropIdSchema.optional(),
  status: z.enum(orderStatuses).optional(),
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

export function createAdminOrdersRouter(orders: Orders) {
  return router({
    list: adminProcedure
      .input(adminOrderListInputSchema)
      .output(adminOrderListOutputSchema)
      .query(({ input }) => listPage(orders, input, adminOrderOutput)),
    cancel: adminProcedure
      .input(orderInputSchema)
      .output(cancelOutputSchema)
      .mutation(({ input }) => orders.cancel(input.orderId)),
    fulfil: adminProcedure
      .input(orderInputSchema)
      .output(fulfilOutputSchema)
      .mutation(({ input }) => orders.fulfil(input.orderId)),
  });
}
