// `catalog.*` for everybody, `admin.product.*` for the shop.
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { productIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { currencySchema, type Money, moneyOutputSchema } from '../money.ts';
import { cacheableProcedure, publicProcedure, router, staffProcedure } from '../trpc.ts';
import type { Catalog } from './catalog.ts';
import { checkedOnce } from './checked-once.ts';
import type { DropOffer } from './price-history.rules.ts';
import { productInputSchema, productSchema, productStatusSchema, slugSchema } from './product.ts';

export const pageInputSchema = z.strictObject({
  cursor: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,128}$/, 'a cursor from an earlier answer')
    .optional(),
  limit: z.int().min(1).max(limits.listPageCount.max).default(limits.listPageCount.default),
});

/** A list without input is the first page. */
const optionalPageSchema = pageInputSchema.optional().transform(page => pageInputSchema.parse(page ?? {}));

const adminPageInputSchema = pageInputSchema.extend({ status: productStatusSchema.optional() });
const optionalAdminPageSchema = adminPageInputSchema
  .optional()
  .transform(page => adminPageInputSchema.parse(page ?? {}));

/** `indexed`: whether search shows the product as it stands here. */
const adminProductSchema = productSchema.extend({ indexed: z.boolean() });

const productPageSchema = z.object({ items: z.array(productSchema), nextCursor: z.string().optional() });

const priceHistorySchema = z.object({
  sku: z.string(),
  price: moneyOutputSchema,
  /** Without a price where it was not offered. */
  items: z.array(z.object({ atMs: z.number(), price: moneyOutputSchema.optional() })),
  /** What drops asked for it meanwhile, the newest first: the price of the opening, and the lowest that it has fallen to. */
  drops: z
    .array(
      z.object({
        dropId: z.string(),
        fromMs: z.number(),
        /** Absent where no end is known. */
        untilMs: z.number().optional(),
        price: moneyOutputSchema,
        lowest: moneyOutputSchema.optional(),
      }),
    )
    .optional(),
  reduction: z
    .object({ sinceMs: z.number(), lowest30Days: moneyOutputSchema, knownSinceMs: z.number().optional() })
    .optional(),
});

const answeredProduct = checkedOnce(productSchema);

function shownOffer({ dropId, endMs, prices }: DropOffer, money: (amount: number) => Money) {
  const [first, last] = [prices[0], prices.at(-1)];
  if (!first || !last) return null;
  return {
    dropId,
    fromMs: first.fromMs,
    ...(Number.isFinite(endMs) ? { untilMs: endMs } : {}),
    price: money(first.amount),
    ...(last === first ? {} : { lowest: money(last.amount) }),
  };
}

export function createCatalogRouter(catalog: Catalog) {
  return router({
    product: cacheableProcedure
      .input(z.strictObject({ id: productIdSchema }))
      .output(answeredProduct)
      .query(async ({ input }) => {
        const product = await catalog.product(input.id);
        if (!product) throw new PublicError('not-found', 'There is no such product');
        return product;
      }),
    bySlug: cacheableProcedure
      .input(z.strictObject({ slug: slugSchema }))
      .output(answeredProduct)
      .query(async ({ input }) => {
        const product = await catalog.productBySlug(input.slug);
        if (!product) throw new PublicError('not-found', 'There is no such product');
        return product;
      }),
    /** What a SKU cost over time, and the reduction that its price is. Not cached: it may end by time alone. */
    priceHistory: publicProcedure
      .input(z.strictObject({ sku: skuSchema, currency: currencySchema.optional() }))
      .output(priceHistorySchema)
      .query(async ({ input }) => {
        const found = await catalog.priceHistory(input.sku, input.currency);
        if (!found)
          throw new PublicError('not-found', 'There is no such SKU, or it has no price in that currency');
        const { sku, currency, amount, entries, reduction } = found;
        const money = (minor: number) => ({ amount: minor, currency });
        const drops = found.drops.flatMap(offer => shownOffer(offer, money) ?? []);
        return {
          sku,
          price: money(amount),
          items: entries.map(entry => ({
            atMs: entry.atMs,
            ...(entry.amount === null ? {} : { price: money(entry.amount) }),
          })),
          ...(drops.length > 0 ? { drops } : {}),
          ...(reduction
            ? {
                reduction: {
                  sinceMs: reduction.sinceMs,
                  lowest30Days: money(reduction.lowestAmount),
                  ...(reduction.knownSinceMs === null ? {} : { knownSinceMs: reduction.knownSinceMs }),
                },
              }
            : {}),
        };
      }),
    list: cacheableProcedure
      .input(optionalPageSchema)
      .output(productPageSchema)
      .query(({ input }) => catalog.list(input)),
  });
}

export const productUpsertSchema = productInputSchema.extend({
  /** The rev that the change was made from, 0 for a new product; without it, the last writer wins. */
  expectedRev: z.int().min(0).optional(),
});

/** Mounted as `admin.product`. */
export function createAdminProductRouter(catalog: Catalog) {
  return router({
    upsert: staffProcedure('admin')
      .input(productUpsertSchema)
      .output(z.object({ productId: productIdSchema, rev: z.int() }))
      .mutation(async ({ input: { expectedRev, ...product } }) => {
        const { rev } = await catalog.upsert(product, { expectedRev });
        return { productId: product.productId, rev };
      }),
    remove: staffProcedure('admin')
      .input(z.strictObject({ productId: productIdSchema }))
      .output(z.object({ kind: z.enum(['removed', 'absent']) }))
      .mutation(async ({ input }) => ({
        kind: (await catalog.remove(input.productId)) ? 'removed' : 'absent',
      })),
    /** Drafts and archived products, too. */
    get: staffProcedure('viewer')
      .input(z.strictObject({ productId: productIdSchema }))
      .output(adminProductSchema)
      .query(async ({ input }) => {
        const product = await catalog.productForAdmin(input.productId);
        if (!product) throw new PublicError('not-found', 'There is no such product');
        return product;
      }),
    list: staffProcedure('viewer')
      .input(optionalAdminPageSchema)
      .output(z.object({ items: z.array(adminProductSchema), nextCursor: z.string().optional() }))
      .query(({ input }) => catalog.listForAdmin(input)),
    /** How far the search index is behind the catalog. */
    counts: staffProcedure('viewer')
      .output(z.object({ products: z.int(), due: z.int() }))
      .query(() => catalog.counts()),
  });
}
