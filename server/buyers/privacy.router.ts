// `privacy.*`: a buyer's own data, as JSON, and its erasure.
import { z } from 'zod';
import { buyerIdSchema } from '../ids.ts';
import { contactSchema } from '../orders/order.ts';
import { adminOrderOutput, adminOrderOutputSchema } from '../orders/order-output.ts';
import { limitedBuyerProcedure, router } from '../trpc.ts';
import type { Privacy } from './privacy.ts';

const exportedOrderSchema = adminOrderOutputSchema.extend({
  contact: contactSchema,
  erasedAtMs: z.number().optional(),
});
export const privacyExportOutput = z.object({
  buyerId: buyerIdSchema,
  exportedAtMs: z.number(),
  orders: z.array(exportedOrderSchema),
  groups: z.array(z.string()),
});
export const privacyEraseOutput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('erased'), ordersCount: z.int() }),
  z.object({ kind: z.literal('conflict'), orderIds: z.array(z.string()) }),
]);

export function createPrivacyRouter(privacy: Privacy, clock: { now(): number }) {
  const nothing = z.strictObject({}).optional();
  return router({
    export: limitedBuyerProcedure('write')
      .input(nothing)
      .output(privacyExportOutput)
      .query(async ({ ctx: { buyerId } }) => {
        const orders: z.infer<typeof exportedOrderSchema>[] = [];
        for await (const order of privacy.ordersOf(buyerId)) {
          const { erasedAtMs } = order;
          orders.push({ ...adminOrderOutput(order), ...(erasedAtMs === null ? {} : { erasedAtMs }) });
        }
        const groups = [...(await privacy.groupsOf(buyerId))];
        return { buyerId, exportedAtMs: clock.now(), orders, groups };
      }),
    erase: limitedBuyerProcedure('write')
      .input(nothing)
      .output(privacyEraseOutput)
      .mutation(({ ctx }) => privacy.erase(ctx.buyerId)),
  });
}
