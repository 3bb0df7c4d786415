// `search.products` and `search.suggest`, for everybody.
import { z } from 'zod';
import { brandSchema, categorySchema } from '../catalog/product.ts';
import { dropIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { amountSchema, moneyOutputSchema } from '../money.ts';
import { cacheableProcedure, publicProcedure, router } from '../trpc.ts';
import type { Search } from './search.ts';
import type { GiveSearchKey } from './search-key.ts';
import { sortOrders } from './search.rules.ts';

/** One value or several; several are alternatives. */
const oneOrMore = <T extends z.ZodType<string>>(value: T) =>
  z
    .union([value.transform(one => [one]), z.array(value).min(1).max(limits.searchFilterValuesCount)])
    .transform(values => [...new Set(values)]);

export const searchInputSchema = z
  .strictObject({
    q: z.string().max(limits.searchTextChars),
    filters: z
      .strictObject({
        brand: oneOrMore(brandSchema).optional(),
        category: oneOrMore(categorySchema).optional(),
        /** In minor units, both included. */
        priceMin: amountSchema.optional(),
        priceMax: amountSchema.optional(),
        inStock: z.boolean().optional(),
        drop: oneOrMore(dropIdSchema).optional(),
      })
      .optional(),
    sort: z.enum(sortOrders).default('relevance'),
    page: z.int().min(1).max(limits.searchDepthCount).default(1),
    perPage: z.int().min(1).max(limits.searchPerPage.max).default(limits.searchPerPage.default),
  })
  .refine(
    input => input.page * input.perPage <= limits.searchDepthCount,
    `only the first ${limits.searchDepthCount} hits can be paged through: narrow the search`,
  );

const facetValueSchema = z.object({ value: z.string(), count: z.int() });

export const searchOutputSchema = z.object({
  hits: z.array(
    z.object({
      id: z.string(),
      slug: z.string().optional(),
      title: z.string(),
      brand: z.string().optional(),
      categories: z.array(z.string()),
      price: moneyOutputSchema,
      image: z.string().optional(),
      popularity: z.int(),
      inStock: z.boolean(),
      highlights: z.object({
        title: z.string().optional(),
        brand: z.string().optional(),
        description: z.string().optional(),
      }),
    }),
  ),
  facets: z.object({
    brand: z.array(facetValueSchema),
    category: z.array(facetValueSchema),
    price: z.object({
      ranges: z.array(z.object({ from: z.int(), to: z.int().optional(), count: z.int() })),
      stats: z.object({ min: z.number(), max: z.number(), currency: z.string() }).nullable(),
    }),
    availability: z.array(z.object({ value: z.enum(['in-stock', 'out-of-stock']), count: z.int() })),
    /** By the drops' ids: those that are planned or run. */
    drop: z.array(facetValueSchema),
  }),
  total: z.int(),
  tookMs: z.int(),
  degraded: z.literal(true).optional(),
});

export const suggestOutputSchema = z.object({
  suggestions: z.array(
    z.discriminatedUnion('kind', [
      z.object({
        kind: z.literal('product'),
        text: z.string(),
        productId: z.string(),
        slug: z.string().optional(),
      }),
      z.object({ kind: z.enum(['query', 'brand', 'category']), text: z.string() }),
    ]),
  ),
  degraded: z.literal(true).optional(),
});

export const searchKeyOutputSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('key'),
    key: z.string(),
    url: z.string(),
    collection: z.string(),
    expiresAtMs: z.int(),
  }),
  z.object({ kind: z.enum(['not-offered', 'unavailable']) }),
]);

export function createSearchRouter(search: Search, giveKey: GiveSearchKey) {
  return router({
    products: cacheableProcedure
      .input(searchInputSchema)
      .output(searchOutputSchema)
      .query(({ input: { q, filters, sort, page, perPage } }) =>
        search.products({
          text: plainText(q),
          filters: {
            brands: filters?.brand ?? [],
            categories: filters?.category ?? [],
            priceMin: filters?.priceMin,
            priceMax: filters?.priceMax,
            inStock: filters?.inStock,
            drops: filters?.drop ?? [],
          },
          sort,
          page,
          perPage,
        }),
      ),
    suggest: cacheableProcedure
      .input(z.strictObject({ q: z.string().max(limits.searchTextChars) }))
      .output(suggestOutputSchema)
      .query(({ input }) => search.suggest(plainText(input.q))),
    /** For browsers that ask the search service themselves: never more than a scoped, search-only key. */
    key: publicProcedure.output(searchKeyOutputSchema).query(() => giveKey()),
  });
}

/** `*` alone asks for everything, as the empty text does; what cannot be seen is not searched for. */
function plainText(q: string): string {
  const text = q
    .replace(/[\p{Cc}\p{Co}\p{Cs}]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim();
  return text === '*' ? '' : text;
}
