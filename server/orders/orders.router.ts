// `order.get`, `order.list`, `order.watch`: a buyer's own orders.
import { tracked } from '@trpc/server';
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { orderIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { buyerProcedure, router } from '../trpc.ts';
import type { Order } from './order.ts';
import {
  cursorAfter,
  orderOutput,
  orderOutputSchema,
  orderWatchOutput,
  pageInput,
  readCursor,
} from './order-output.ts';
import type { OrderPage, Orders } from './orders.ts';

export const orderInputSchema = z.strictObject({ orderId: orderIdSchema });
export const orderListInputSchema = z.strictObject(pageInput);
export const orderWatchInputSchema = z.strictObject({
  orderId: orderIdSchema,
  lastEventId: z.string().max(64).nullish(),
});
export const orderListOutputSchema = z.object({
  items: z.array(orderOutputSchema),
  nextCursor: z.string().optional(),
});

export function createOrdersRouter(orders: Orders) {
  return router({
    get: buyerProcedure
      .input(orderInputSchema)
      .output(orderOutputSchema)
      .query(async ({ ctx, input }) => orderOutput(await orders.ofBuyer(input.orderId, ctx.buyerId))),
    list: buyerProcedure
      .input(orderListInputSchema)
      .output(orderListOutputSchema)
      .query(async ({ ctx, input }) => listPage(orders, { ...input, buyerId: ctx.buyerId }, orderOutput)),
    watch: buyerProcedure.input(orderWatchInputSchema).subscription(async function* ({ ctx, input, signal }) {
      // Always the present state first: whatever was missed in between, this is what is true now.
      for await (const order of orders.watch(input.orderId, ctx.buyerId, signal)) {
        yield tracked(String(order.rev), orderWatchOutput(order));
      }
    }),
  });
}

/** One page of a list, with the cursor of the next where there is one. */
export async function listPage<T>(
  orders: Orders,
  query: Omit<OrderPage, 'limit' | 'before'> & { cursor?: string | undefined; limit?: number | undefined },
  show: (order: Order) => T,
): Promise<{ items: T[]; nextCursor?: string }> {
  const { cursor, limit = limits.listPageCount.default, ...filter } = query;
  const before = cursor === undefined ? undefined : readCursor(cursor);
  if (before === null) throw new PublicError('invalid-input', 'The cursor is none that a list has given');
  // One more than is shown tells whether there is a next page.
  const found = await orders.list({ ...filter, before, limit: limit + 1 });
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return {
    items: page.map(show),
    ...(found.length > limit && last ? { nextCursor: cursorAfter(last) } : {}),
  };
}
