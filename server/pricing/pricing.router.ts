// `pricing.quote`: what a cart costs for one destination, sealed.
import { z } from 'zod';
import { dropIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { couponRefusals } from '../promotions/coupon.rules.ts';
import { countrySchema, currencySchema, moneyOutputSchema } from '../money.ts';
import { limitedBuyerProcedure, router } from '../trpc.ts';
import type { Pricing } from './pricing.ts';
import type { Quote } from './quote.ts';

export const destinationInputSchema = z.strictObject({
  country: countrySchema,
  state: z
    .string()
    .trim()
    .regex(/^[\p{L}\p{N} .'-]{1,40}$/u, 'a state or province')
    .optional(),
  postcode: z
    .string()
    .trim()
    .regex(/^[A-Za-z0-9 -]{1,16}$/, 'a postcode')
    .optional(),
});

export const cartLineSchema = z.strictObject({
  sku: skuSchema,
  quantity: z.int().min(1).max(limits.lineQuantityCount),
});

export const quoteInputSchema = z.strictObject({
  dropId: dropIdSchema,
  lines: z
    .array(cartLineSchema)
    .min(1)
    .max(limits.cartLinesCount)
    .refine(
      lines => new Set(lines.map(line => line.sku)).size === lines.length,
      'a SKU stands in the cart twice',
    ),
  coupon: z
    .string()
    .trim()
    .regex(/^[\p{L}\p{N}_.-]{1,40}$/u, 'a coupon code')
    .optional(),
  destination: destinationInputSchema,
  shipping: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,31}$/, 'a shipping method')
    .optional(),
  currency: currencySchema,
});

export const quoteOutputSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('quoted'),
    quote: z.string(),
    lines: z.array(
      z.object({
        sku: z.string(),
        title: z.string(),
        quantity: z.int(),
        unitPrice: moneyOutputSchema,
        total: moneyOutputSchema,
        /** What the coupon takes off this line. */
        discount: moneyOutputSchema.optional(),
      }),
    ),
    coupon: z.string().optional(),
    subtotal: moneyOutputSchema,
    discount: moneyOutputSchema,
    shipping: moneyOutputSchema,
    tax: moneyOutputSchema,
    /** True where the prices contain the tax, so that it is a part of the total and does not come on top. */
    taxIncluded: z.boolean(),
    total: moneyOutputSchema,
    expiresAtMs: z.int(),
  }),
  z.object({ kind: z.literal('bad-coupon'), reason: z.enum(couponRefusals) }),
  z.object({ kind: z.literal('not-shippable'), because: z.enum(['country', 'method']) }),
  z.object({ kind: z.literal('below-minimum'), minimum: moneyOutputSchema }),
  z.object({ kind: z.literal('busy'), retryAfterMs: z.int() }),
]);
export type QuoteOutput = z.infer<typeof quoteOutputSchema>;

export function createPricingRouter(pricing: Pricing) {
  return router({
    quote: limitedBuyerProcedure('write')
      .input(quoteInputSchema)
      .output(quoteOutputSchema)
      .mutation(async ({ ctx, input, signal }) => {
        const outcome = await pricing.quote({ ...input, buyerId: ctx.buyerId, signal });
        // Wrong codes are guesses, and counted; a good one is on every flyer, and may be asked for by a whole campus at once.
        if (outcome.kind === 'bad-coupon' && outcome.reason === 'unknown') {
          await ctx.rates.consume('code', ctx.buyerId);
          await ctx.rates.consume('code-address', ctx.address);
        }
        return outcome.kind === 'quoted' ? quotedOf(outcome.sealed, outcome.value) : outcome;
      }),
  });
}

/** A quote as the API shows it. `checkout.pay` answers with the same shape where it has to price anew. */
export function quotedOf(sealed: string, quote: Quote): Extract<QuoteOutput, { kind: 'quoted' }> {
  const money = (amount: number) => ({ amount, currency: quote.currency });
  return {
    kind: 'quoted',
    quote: sealed,
    lines: quote.lines.map(({ sku, title, quantity, unitAmount, totalAmount, discountAmount }) => ({
      sku,
      title,
      quantity,
      unitPrice: money(unitAmount),
      total: money(totalAmount),
      ...(discountAmount ? { discount: money(discountAmount) } : {}),
    })),
    ...(quote.coupon === undefined ? {} : { coupon: quote.coupon }),
    subtotal: money(quote.subtotalAmount),
    discount: money(quote.discountAmount),
    shipping: money(quote.shippingAmount),
    tax: money(quote.taxAmount),
    taxIncluded: quote.taxIncluded,
    total: money(quote.totalAmount),
    expiresAtMs: quote.expiresAtMs,
  };
}
