// `pricing.quote`: what a cart costs for one destination, sealed. `pricing.estimate`: the same of the catalog, unsealed.
import { z } from 'zod';
import { type BuyerId, dropIdSchema, type HoldId, holdIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { couponRefusals } from '../promotions/coupon.rules.ts';
import { countrySchema, currencySchema, moneyOutputSchema } from '../money.ts';
import { type Caller, limitedBuyerProcedure, router } from '../trpc.ts';
import type { PriceFall, Pricing } from './pricing.ts';
import type { Quote } from './quote.ts';
import { pricedOutput, shownCart } from './shown-cart.ts';

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
  /** Of the buyer's own: the cart is priced as of when that was placed, where prices fall over time. */
  holdId: holdIdSchema.optional(),
});

/** What a cart of the catalog costs, in any currency that the shop has prices or rates for. */
export const estimateInputSchema = quoteInputSchema.omit({ dropId: true, coupon: true, holdId: true });

export const estimateOutputSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('estimated'), ...pricedOutput }),
  z.object({ kind: z.literal('no-price'), sku: z.string() }),
  z.object({ kind: z.literal('not-shippable'), because: z.enum(['country', 'method']) }),
  z.object({ kind: z.literal('busy'), retryAfterMs: z.int() }),
]);

export const quoteOutputSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('quoted'),
    quote: z.string(),
    coupon: z.string().optional(),
    ...pricedOutput,
    /** Of lines whose price falls: from when on a unit costs so much. */
    falls: z.array(z.object({ sku: z.string(), atMs: z.int(), price: moneyOutputSchema })).optional(),
    expiresAtMs: z.int(),
  }),
  z.object({ kind: z.literal('bad-coupon'), reason: z.enum(couponRefusals) }),
  z.object({ kind: z.literal('not-shippable'), because: z.enum(['country', 'method']) }),
  z.object({ kind: z.literal('below-minimum'), minimum: moneyOutputSchema }),
  z.object({ kind: z.literal('busy'), retryAfterMs: z.int() }),
]);
export type QuoteOutput = z.infer<typeof quoteOutputSchema>;

/** The instant that the prices of a buyer's hold are of; undefined where they do not fall. Throws `not-found`. */
export type HeldAt = (buyerId: BuyerId, holdId: HoldId) => Promise<number | undefined>;

export function createPricingRouter(deps: { pricing: Pricing; heldAt: HeldAt }) {
  const { pricing, heldAt } = deps;
  return router({
    quote: limitedBuyerProcedure('write')
      .input(quoteInputSchema)
      .output(quoteOutputSchema)
      .mutation(async ({ ctx, input, signal }) => {
        const { holdId, ...cart } = input;
        const outcome = await pricing.quote({
          ...cart,
          atMs: holdId && (await heldAt(ctx.buyerId, holdId)),
          buyerId: ctx.buyerId,
          groups: groupsOf(ctx.caller),
          signal,
        });
        // Wrong codes are guesses, and counted; a good one is on every flyer, and may be asked for by a whole campus at once.
        if (outcome.kind === 'bad-coupon' && outcome.reason === 'unknown') {
          await ctx.rates.consume('code', ctx.buyerId);
          await ctx.rates.consume('code-address', ctx.address);
        }
        return outcome.kind === 'quoted' ? quotedOf(outcome.sealed, outcome.value, outcome.falls) : outcome;
      }),

    // A query, since it changes nothing; counted as a quote is, since it has the same threads.
    estimate: limitedBuyerProcedure('write')
      .input(estimateInputSchema)
      .output(estimateOutputSchema)
      .query(async ({ ctx, input, signal }) => {
        const { buyerId, caller } = ctx;
        const outcome = await pricing.estimate({ ...input, buyerId, groups: groupsOf(caller), signal });
        return outcome.kind === 'estimated'
          ? { kind: 'estimated' as const, ...shownCart(outcome.value) }
          : outcome;
      }),
  });
}

/** From the verified token, and from nowhere else. */
export function groupsOf(caller: Caller): readonly string[] {
  return caller.kind === 'buyer' ? (caller.groups ?? []) : [];
}

/** A quote as the API shows it. `checkout.pay` answers with the same shape where it has to price anew. */
export function quotedOf(
  sealed: string,
  quote: Quote,
  falls: readonly PriceFall[] = [],
): Extract<QuoteOutput, { kind: 'quoted' }> {
  const { currency } = quote;
  return {
    kind: 'quoted',
    quote: sealed,
    ...(quote.coupon === undefined ? {} : { coupon: quote.coupon }),
    ...shownCart(quote),
    ...(falls.length > 0
      ? { falls: falls.map(({ sku, atMs, amount }) => ({ sku, atMs, price: { amount, currency } })) }
      : {}),
    expiresAtMs: quote.expiresAtMs,
  };
}
