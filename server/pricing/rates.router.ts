// Mounted as `admin.rate`: what one currency is worth in another, for prices that the catalog does not say.
import { z } from 'zod';
import { currencySchema } from '../money.ts';
import { router, staffProcedure } from '../trpc.ts';
import type { Rates } from './rates.ts';

const pair = { from: currencySchema, to: currencySchema };

export function createAdminRatesRouter(rates: Rates) {
  return router({
    put: staffProcedure('admin')
      .input(
        z.strictObject({
          ...pair,
          rate: z.string().regex(/^\d{1,9}(\.\d{1,9})?$/, 'a decimal, as 1.0845'),
          atMs: z.int().min(0).max(8_640_000_000_000_000).optional(),
        }),
      )
      .output(z.object({ kind: z.enum(['put', 'full']) }))
      .mutation(async ({ input }) => ({ kind: await rates.put(input) })),

    remove: staffProcedure('admin')
      .input(z.strictObject(pair))
      .output(z.object({ kind: z.enum(['removed', 'absent']) }))
      .mutation(async ({ input }) => ({ kind: await rates.remove(input) })),

    list: staffProcedure('viewer')
      .input(z.strictObject({}).optional())
      .output(
        z.object({
          items: z.array(
            z.object({
              from: z.string(),
              to: z.string(),
              rate: z.string(),
              atMs: z.number(),
              usable: z.boolean(),
            }),
          ),
        }),
      )
      .query(async () => ({ items: await rates.list() })),
  });
}
