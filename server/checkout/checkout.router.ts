// `checkout.pay`.
import { z } from 'zod';
import { holdIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { countrySchema, moneyOutputSchema } from '../money.ts';
import { orderStatuses } from '../orders/order.rules.ts';
import { limitedBuyerProcedure, router } from '../trpc.ts';
import type { Checkout, PayOutcome } from './checkout.ts';

/** Letters of every script, no control characters: it is printed on a parcel. */
const addressLine = z
  .string()
  .trim()
  .min(1)
  .max(120)
  .regex(/^\P{Cc}*$/u, 'a line of text');

export const addressInputSchema = z.strictObject({
  name: addressLine,
  line1: addressLine,
  line2: addressLine.optional(),
  city: addressLine,
  postcode: addressLine.max(16).optional(),
  state: addressLine.max(40).optional(),
  country: countrySchema,
});

export const payInputSchema = z.strictObject({
  holdId: holdIdSchema,
  email: z.email().max(254),
  address: addressInputSchema,
  quote: z.string().max(limits.sealedTextChars).optional(),
});

export const payOutputSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('payable'),
    orderId: z.string(),
    clientSecret: z.string(),
    payments: z.object({ publishableKey: z.string(), apiBase: z.string(), scriptUrl: z.string() }),
    expiresAtMs: z.number(),
  }),
  z.object({
    kind: z.literal('paid'),
    orderId: z.string(),
    serials: z.array(z.object({ sku: z.string(), serial: z.int() })),
  }),
  z.object({ kind: z.literal('placed'), orderId: z.string(), status: z.enum(orderStatuses) }),
  z.object({ kind: z.literal('below-minimum'), minimum: moneyOutputSchema }),
  z.object({ kind: z.enum(['hold-expired', 'requote', 'sold-out', 'all-held', 'paused']) }),
]);

export function createCheckoutRouter(checkout: Checkout) {
  return router({
    pay: limitedBuyerProcedure('write')
      .input(payInputSchema)
      .output(payOutputSchema)
      .mutation(async ({ ctx, input }): Promise<PayOutcome> => {
        const { holdId, email, address, quote } = input;
        const outcome = await checkout.pay({
          buyerId: ctx.buyerId,
          holdId,
          contact: { email, address: withoutAbsent(address) },
          quote,
        });
        ctx.metrics.outcomes.inc({ what: 'checkout.pay', kind: outcome.kind });
        return outcome;
      }),
  });
}

/** What was not given is not stored, rather than stored as nothing. */
function withoutAbsent(address: z.output<typeof addressInputSchema>) {
  const { line2, postcode, state, ...rest } = address;
  return {
    ...rest,
    ...(line2 === undefined ? {} : { line2 }),
    ...(postcode === undefined ? {} : { postcode }),
    ...(state === undefined ? {} : { state }),
  };
}
