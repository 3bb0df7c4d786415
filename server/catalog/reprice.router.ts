// `admin.reprice.*`: new prices for a whole catalog or a part of it, page by page, so that no call takes long and whoever
// dies in between loses nothing.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { currencySchema } from '../money.ts';
import { router, staffProcedure } from '../trpc.ts';
import { cursorAfter } from './catalog.rules.ts';
import { afterOf } from './catalog.ts';
import type { Reprice } from './reprice.ts';

const termsInput = z.strictObject({
  /** Added to each price: -10 is ten percent less. Two decimals at most. */
  percent: z
    .number()
    .min(limits.repricePercent.min)
    .max(limits.repricePercent.max)
    .refine(percent => Number.isInteger(Math.round(percent * 1e6) / 1e4), 'two decimals at most')
    .refine(percent => percent !== 0, 'nothing would change'),
  brand: z.string().trim().min(1).max(200).optional(),
  category: z.string().trim().min(1).max(200).optional(),
  currency: currencySchema.optional(),
});

const progressOutput = z.object({
  repriceId: z.string(),
  state: z.enum(['running', 'done', 'ended']),
  resumed: z.boolean(),
  products: z.int(),
  changed: z.int(),
  unchanged: z.int(),
  refused: z.int(),
  prices: z.int(),
  problems: z.array(z.object({ productId: z.string(), reason: z.string() })).readonly(),
});

const byId = z.strictObject({ repriceId: z.uuid() });

function termsOf({ percent, ...terms }: z.output<typeof termsInput>) {
  return { ...terms, basisPoints: 10_000 + Math.round(percent * 100) };
}

export function createRepriceRouter(reprice: Reprice) {
  return router({
    // A mutation for its work alone: it changes nothing, so it is not written down.
    preview: staffProcedure('admin', { isEffective: false })
      .input(termsInput.extend({ cursor: z.string().max(200).optional() }))
      .output(
        z.object({
          products: z.int(),
          changed: z.int(),
          refused: z.int(),
          prices: z.int(),
          samples: z
            .array(z.object({ sku: z.string(), currency: z.string(), from: z.int(), to: z.int() }))
            .readonly(),
          nextCursor: z.string().optional(),
        }),
      )
      .mutation(async ({ input: { cursor, ...input } }) => {
        const { after, ...page } = await reprice.preview(termsOf(input), afterOf(cursor));
        return { ...page, ...(after === null ? {} : { nextCursor: cursorAfter(after) }) };
      }),
    start: staffProcedure('admin')
      .input(termsInput)
      .output(progressOutput.extend({ total: z.int() }))
      .mutation(({ input }) => reprice.start(termsOf(input))),
    step: staffProcedure('admin')
      .input(byId)
      .output(progressOutput)
      .mutation(({ input }) => reprice.step(input.repriceId)),
    end: staffProcedure('admin')
      .input(byId.extend({ giveUp: z.boolean().optional() }))
      .output(progressOutput)
      .mutation(({ input: { repriceId, ...options } }) => reprice.end(repriceId, options)),
  });
}
