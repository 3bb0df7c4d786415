// `admin.stats`: the live figures of a drop.
import { tracked } from '@trpc/server';
import { z } from 'zod';
import { dropStates } from '../drops/drop.ts';
import { dropIdSchema, skuSchema } from '../ids.ts';
import { orderStatuses } from '../orders/order.rules.ts';
import { staffProcedure } from '../trpc.ts';
import type { Stats } from './stats.ts';

export const dropStatsSchema = z.object({
  dropId: dropIdSchema,
  state: z.enum(dropStates),
  waiting: z.int(),
  /** Called, and not yet come. */
  called: z.int(),
  /** With a pass, without a hold. */
  shopping: z.int(),
  /** With a hold that is not being paid. */
  holding: z.int(),
  /** With an order whose payment is on its way. */
  paying: z.int(),
  paid: z.int(),
  stock: z.array(
    z.object({
      sku: skuSchema,
      total: z.int(),
      available: z.int(),
      held: z.int(),
      sold: z.int(),
      withdrawn: z.int(),
    }),
  ),
  calls: z.object({ perMin: z.number(), targetPerMin: z.number(), active: z.int(), activeMax: z.int() }),
  orders: z.record(z.enum(orderStatuses), z.int()),
  /** Of the process that answers, over the last minute. */
  process: z.object({
    callsPerSec: z.number(),
    errorsPerMin: z.number(),
    p50Ms: z.number().nullable(),
    p95Ms: z.number().nullable(),
  }),
  serverTimeMs: z.number(),
});
export type DropStats = z.infer<typeof dropStatsSchema>;

export function createStatsProcedure(stats: Stats) {
  return staffProcedure('viewer')
    .input(z.strictObject({ dropId: dropIdSchema, lastEventId: z.string().max(100).nullish() }))
    .subscription(async function* ({ input, signal }) {
      for await (const { id, data } of stats.watch(input.dropId, signal)) yield tracked(id, data);
    });
}
