// The face of search: questions answered by the search service, and by MongoDB's exact words while that is away. A
// search never fails because the service does: the answer says `degraded`, and selling goes on.
import { LRUCache } from 'lru-cache';
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
  suggestSearchesOf,
} from './search.rules.ts';
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

export type Suggestion =
  | { kind: 'product'; text: string; productId: string; slug?: string | undefined }
  | { kind: 'brand' | 'category'; text: string };

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
});
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
  /** Told who answered each search: memory, a search under way that is the same, or the service. */
  onAnswered?: (by: 'memory' | 'flight' | 'search') => void;
}): Search {
  const { catalog, pins, log, now = () => performance.now(), onAnswered } = deps;
  const client = createTypesenseClient({
    ...deps.typesense,
    timeoutMs: limits.searchTimeoutMs,
    retriesCount: 0,
  });
  const remembered = new LRUCache<string, SearchAnswer>({
    max: limits.searchCacheCount,
    ttl: limits.searchCacheTtlMs,
    ttlResolution: 0,
    perf: { now },
  });
  /** The same search that many ask at once is asked of the service once. */
  const underWay = new Map<string, Promise<SearchAnswer>>();
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

  return {
    products(question) {
      const key = JSON.stringify(question);
      const known = remembered.get(key);
      if (known) {
        onAnswered?.('memory');
        return Promise.resolve(known);
      }
      const flight = underWay.get(key);
      onAnswered?.(flight ? 'flight' : 'search');
      if (flight) return flight;
      const answering = answerTo(question)
        .then(answer => {
          if (!answer.degraded) remembered.set(key, answer);
          return answer;
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, answering);
      return answering;
    },

    async suggest(text) {
      if (wordsOf(text).length === 0) return { suggestions: [] };
      const results = await ask(suggestSearchesOf(text, limits.suggestionsCount));
      if (!results) return { suggestions: [], degraded: true };
      return { suggestions: suggestionsOf(text, results) };
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

function suggestionsOf(text: string, results: readonly z.infer<typeof resultSchema>[]): Suggestion[] {
  const [products, brands, categories] = results;
  const lastWord = wordsOf(text).at(-1) ?? '';
  const namesOf = (result: typeof brands) => result?.facet_counts[0]?.counts.map(({ value }) => value) ?? [];
  const named: Suggestion[] = [
    ...namesOf(brands).map((value): Suggestion => ({ kind: 'brand', text: value })),
    // A found product has other categories besides the one that matched.
    ...namesOf(categories)
      .filter(value => wordsOf(value).some(word => word.startsWith(lastWord)))
      .slice(0, 3)
      .map((value): Suggestion => ({ kind: 'category', text: value })),
  ];
  const entries = (products?.hits ?? []).map(hit => suggestedEntrySchema.parse(hit.document));
  const titles = new Map(entries.toReversed().map(entry => [entry.title, entry]));
  const distinct = entries.filter(entry => titles.get(entry.title) === entry);
  return [
    ...named,
    ...distinct.map(
      ({ id, title, slug }): Suggestion => ({ kind: 'product', text: title, productId: id, slug }),
    ),
  ].slice(0, limits.suggestionsCount);
}
