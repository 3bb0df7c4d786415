// The face of search: questions answered by the search service, and by MongoDB's exact words while that is away. A
// search never fails because the service does: the answer says `degraded`, and selling goes on.
import type { Logger } from 'pino';
import { z } from 'zod';
import { lowestPriceOf, wordsOf } from '../catalog/catalog.rules.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Product } from '../catalog/product.ts';
import { limits } from '../limits.ts';
import {
  type FacetCount,
  facetsOf,
  highlightHtml,
  noFacets,
  type SearchFacets,
  type SearchHit,
  type SearchParameters,
  type SearchQuestion,
  searchesOf,
  type unshownFields,
} from './search.rules.ts';
import { createAnswerMemory } from './answer-memory.ts';
import { type Suggestion, suggestionsOf, suggestSearchesOf } from './suggestions.rules.ts';
import { productEntrySchema } from './product-entry.ts';
import type { ChosenResults } from './chosen-results.ts';
import { productsAlias } from './search-index.ts';
import { createTypesenseClient } from './typesense-client.ts';

export interface SearchAnswer {
  hits: SearchHit[];
  facets: SearchFacets;
  total: number;
  tookMs: number;
  /** True where the search service did not answer: exact words only, no facets. */
  degraded?: true;
}

export interface SuggestAnswer {
  suggestions: Suggestion[];
  degraded?: true;
}

export interface Search {
  products(question: SearchQuestion): Promise<SearchAnswer>;
  suggest(text: string): Promise<SuggestAnswer>;
  /** Whether the search service answers now. */
  isHealthy(): Promise<boolean>;
}

const facetCountSchema = z.object({
  field_name: z.string(),
  counts: z.array(z.object({ value: z.string(), count: z.int() })),
  stats: z.object({ min: z.number().optional(), max: z.number().optional() }).default({}),
});
const highlightSchema = z.object({ snippet: z.string().optional() }).optional();
const resultSchema = z.object({
  found: z.int(),
  facet_counts: z.array(facetCountSchema).default([]),
  hits: z.array(z.object({ document: z.unknown(), highlight: z.unknown() })).default([]),
});
const answerSchema = z.object({ results: z.array(resultSchema).min(1) });
const hitEntrySchema = productEntrySchema.omit({
  skus: true,
  barcodes: true,
  alsoFoundBy: true,
  drops: true,
  description: true,
  priceBand: true,
  createdAtMs: true,
} satisfies Record<(typeof unshownFields)[number], true>);
const hitHighlightSchema = z
  .object({ title: highlightSchema, brand: highlightSchema, description: highlightSchema })
  .catch({});
const suggestedEntrySchema = z.object({ id: z.string(), title: z.string(), slug: z.string().optional() });

export function createSearch(deps: {
  typesense: { url: string; apiKey: string };
  catalog: Pick<Catalog, 'browse'>;
  /** What the shop has chosen for some searches. */
  pins?: Pick<ChosenResults, 'of'>;
  log: Logger;
  /** Milliseconds of a clock that never steps. */
  now?: () => number;
  /** Told who answered each search and each suggestion: memory, the same one under way, or the service. */
  onAnswered?: (by: 'memory' | 'flight' | 'search') => void;
}): Search {
  const { catalog, pins, log, now = () => performance.now(), onAnswered } = deps;
  const client = createTypesenseClient({
    ...deps.typesense,
    timeoutMs: limits.searchTimeoutMs,
    retriesCount: 0,
  });
  const answers = createAnswerMemory<SearchAnswer>({ now, onAnswered });
  const suggested = createAnswerMemory<SuggestAnswer>({ now, onAnswered });
  let pausedUntilMs = Number.NEGATIVE_INFINITY;
  let isAway = false;

  /** Null where the service does not answer, or answered a moment ago that it cannot. */
  async function ask(
    searches: readonly SearchParameters[],
  ): Promise<z.infer<typeof answerSchema>['results'] | null> {
    if (now() < pausedUntilMs) return null;
    try {
      const answer: unknown = await client.multiSearch.perform(
        { searches: searches.map(parameters => ({ ...parameters, collection: productsAlias })) },
        {},
      );
      const { results } = answerSchema.parse(answer);
      if (isAway) log.info('search: the search service is back');
      isAway = false;
      return results;
    } catch (error) {
      if (!isAway) log.warn({ err: error }, 'search: answering without the search service');
      isAway = true;
      pausedUntilMs = now() + limits.searchPauseMs;
      return null;
    }
  }

  async function degraded(question: SearchQuestion): Promise<Pick<SearchAnswer, 'hits' | 'total'>> {
    try {
      const { products, total } = await catalog.browse({
        words: wordsOf(question.text),
        brands: question.filters.brands,
        categories: question.filters.categories,
        priceMin: question.filters.priceMin,
        priceMax: question.filters.priceMax,
        sort: question.sort === 'newest' ? 'newest' : 'popularity',
        skip: (question.page - 1) * question.perPage,
        limit: question.perPage,
      });
      return { hits: products.map(plainHitOf), total };
    } catch (error) {
      log.warn({ err: error }, 'search: neither the search service nor MongoDB answers');
      return { hits: [], total: 0 };
    }
  }

  async function answerTo(question: SearchQuestion): Promise<SearchAnswer> {
    const startedAtMs = now();
    const results = await ask(searchesOf(question, (await pins?.of(question.text)) ?? null));
    const [first, ...rest] = results ?? [];
    if (!first) {
      const found = await degraded(question);
      return { ...found, facets: noFacets, tookMs: Math.round(now() - startedAtMs), degraded: true };
    }
    const counts: FacetCount[][] = [first, ...rest].map(result => result.facet_counts);
    return {
      hits: first.hits.map(hitOf),
      facets: facetsOf(question.filters, counts),
      total: first.found,
      tookMs: Math.round(now() - startedAtMs),
    };
  }

  async function suggestionsTo(text: string): Promise<SuggestAnswer> {
    const results = await ask(suggestSearchesOf(text, limits.suggestTitlesCount));
    if (!results) return { suggestions: [], degraded: true };
    const [products, brands, categories] = results;
    const found = {
      products: (products?.hits ?? []).map(hit => suggestedEntrySchema.parse(hit.document)),
      brands: valuesOf(brands),
      categories: valuesOf(categories),
    };
    return { suggestions: suggestionsOf(text, found, limits.suggestionsCount) };
  }

  return {
    products: question => answers.get(JSON.stringify(question), () => answerTo(question)),

    async suggest(text) {
      if (wordsOf(text).length === 0) return { suggestions: [] };
      return suggested.get(text, () => suggestionsTo(text));
    },

    isHealthy: () =>
      client.health.retrieve().then(
        () => true,
        () => false,
      ),
  };
}

function hitOf(hit: { document?: unknown; highlight?: unknown }): SearchHit {
  const entry = hitEntrySchema.parse(hit.document);
  const highlight = hitHighlightSchema.parse(hit.highlight);
  const highlights: SearchHit['highlights'] = {};
  for (const field of ['title', 'brand', 'description'] as const) {
    const snippet = highlight[field]?.snippet;
    if (snippet !== undefined) highlights[field] = highlightHtml(snippet);
  }
  return {
    id: entry.id,
    slug: entry.slug,
    title: entry.title,
    brand: entry.brand,
    categories: entry.categories,
    price: { amount: entry.price, currency: entry.currency },
    image: entry.image,
    popularity: entry.popularity,
    inStock: entry.inStock,
    highlights,
  };
}

function plainHitOf(product: Product): SearchHit {
  return {
    id: product.productId,
    slug: product.slug,
    title: product.title,
    brand: product.brand,
    categories: product.categories,
    price: lowestPriceOf(product.variants),
    image: product.images[0],
    popularity: product.popularity,
    // Unknown without the index; claiming stock that is not there would be worse.
    inStock: false,
    highlights: {},
  };
}

/** Of the one facet that was asked for. */
function valuesOf(result: z.infer<typeof resultSchema> | undefined): string[] {
  return result?.facet_counts[0]?.counts.map(({ value }) => value) ?? [];
}
