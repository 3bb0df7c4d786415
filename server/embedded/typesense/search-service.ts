/**
 * Searches as they arrive: the parameters of a scoped key over those of the request, answers kept for repeated
 * questions until the next write to their collection, and many searches in one request.
 */
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Access } from './api-keys.ts';
import { ApiError, notSupported } from './api-error.ts';
import type { Collection } from './collection.ts';
import type { CollectionRegistry } from './collection-registry.ts';
import { parseFilter } from './filter-parser.ts';
import { limits } from './limits.ts';
import { search, type SearchAnswer } from './search.ts';
import { parseSearchParameters, type RawParameters } from './search-parameters.ts';

export type TimedAnswer = SearchAnswer & { readonly search_time_ms: number };
type FailedSearch = { readonly code: number; readonly error: string };

const multiSearchBody = z.strictObject({
  searches: z.array(z.record(z.string(), z.unknown())),
  union: z.literal(false).optional(),
  remove_duplicates: z.unknown().optional(),
});

export const forbidden = (): ApiError =>
  new ApiError(401, 'Forbidden - a valid `x-typesense-api-key` header must be sent.');

export class SearchService {
  readonly #registry: CollectionRegistry;
  readonly #answers = new LRUCache<string, SearchAnswer>({
    max: limits.resultCacheCount,
    maxSize: limits.resultCacheChars,
    // A document of a catalog is about a kilobyte, and its marked texts as much again.
    sizeCalculation: (answer, key) => key.length + 4096 * (1 + answer.hits.length),
  });

  constructor(registry: CollectionRegistry) {
    this.#registry = registry;
  }

  one(name: string, raw: RawParameters, access: Access): TimedAnswer {
    const startedAtMs = performance.now();
    const collection = this.#registry.find(name);
    if (collection === undefined) throw new ApiError(404, 'Collection not found');
    const parameters = withEmbedded(raw, access.embedded);
    const { request_params, search_cutoff, ...answer } = this.#answer(collection, parameters);
    const search_time_ms = Math.round(performance.now() - startedAtMs);
    return { ...answer, request_params, search_cutoff, search_time_ms };
  }

  /** A search that fails says so in its own place; only a missing right fails the request as a whole. */
  many(
    body: unknown,
    common: RawParameters,
    accessOf: (key: string | undefined) => Access | undefined,
  ): {
    results: (TimedAnswer | FailedSearch)[];
  } {
    const parsed = multiSearchBody.safeParse(body);
    if (!parsed.success) {
      if (parsed.error.issues.some(issue => issue.path[0] === 'union'))
        throw notSupported('A union of searches');
      throw new ApiError(400, 'Missing `searches` array.');
    }
    const { searches } = parsed.data;
    if (searches.length > limits.searchesPerRequestMax) {
      throw new ApiError(422, `Number of multi searches exceeds \`${limits.searchesPerRequestMax}\`.`);
    }
    const permitted = searches.map(({ collection, 'x-typesense-api-key': key, ...own }) => {
      const raw: RawParameters = { ...common, ...own };
      const name = typeof collection === 'string' ? collection : common['collection'];
      const access = accessOf(typeof key === 'string' ? key : undefined);
      if (access === undefined || !access.allows('documents:search', String(name))) throw forbidden();
      return { name, raw, access };
    });
    return {
      results: permitted.map(({ name, raw, access }) => {
        try {
          if (typeof name !== 'string') throw new ApiError(404, 'Collection not found');
          const { collection: _, ...parameters } = raw;
          return this.one(name, parameters, access);
        } catch (error) {
          if (error instanceof ApiError) return { code: error.status, error: error.message };
          throw error;
        }
      }),
    };
  }

  #answer(collection: Collection, raw: RawParameters): SearchAnswer {
    const key = `${collection.id}/${collection.version}/${JSON.stringify(raw)}`;
    const kept = this.#answers.get(key);
    if (kept !== undefined) return kept;
    const answer = search(collection, parseSearchParameters(raw));
    this.#answers.set(key, answer);
    return answer;
  }
}

/** The holder of a scoped key may narrow its filter, not widen it, and change nothing else that it says. */
function withEmbedded(raw: RawParameters, embedded: RawParameters): RawParameters {
  const own = raw['filter_by'];
  const fixed = embedded['filter_by'];
  const merged = { ...raw, ...embedded };
  if (typeof own !== 'string' || own.trim() === '' || typeof fixed !== 'string' || fixed.trim() === '') {
    return merged;
  }
  // Read alone first: `a:1) || (b:2` would otherwise close the parenthesis and step outside the fixed filter.
  parseFilter(own);
  return { ...merged, filter_by: `(${fixed}) && (${own})` };
}
