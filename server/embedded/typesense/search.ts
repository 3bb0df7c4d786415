/**
 * One search of one collection: from checked parameters to the answer that Typesense would give, apart from the time
 * it took. Reads only; the same parameters give the same answer until the collection's next write.
 */
import { ApiError } from './api-error.ts';
import type { Collection } from './collection.ts';
import { isStringType } from './collection-schema.ts';
import { countFacets, type FacetCounts } from './facet-counts.ts';
import { filterMask } from './filter-evaluation.ts';
import { parseFilter } from './filter-parser.ts';
import { limits } from './limits.ts';
import { parseQueryText, type QueryText } from './query-text.ts';
import { buildHit, type SearchHit } from './search-hit.ts';
import type { SearchParameters } from './search-parameters.ts';
import { firstInOrder, parseOrder } from './sort-order.ts';
import { matchText, type QueriedField, type TextMatch, type TextQuery } from './text-match.ts';

export type SearchAnswer = {
  readonly facet_counts: readonly FacetCounts[];
  readonly found: number;
  readonly hits: readonly SearchHit[];
  readonly out_of: number;
  readonly page: number;
  readonly request_params: {
    readonly collection_name: string;
    readonly first_q: string;
    readonly per_page: number;
    readonly q: string;
  };
  readonly search_cutoff: false;
};

export function search(collection: Collection, parameters: SearchParameters): SearchAnswer {
  const { q } = parameters;
  if (q === undefined) throw new ApiError(400, 'Parameter `q` is required.');
  const window = windowOf(parameters);
  const { index } = collection;
  const fields = queriedFields(collection, parameters);
  if (q !== '*' && fields.length === 0) throw new ApiError(400, 'No search fields specified for the query.');

  const filtered = filterMask(collection, parseFilter(parameters.filter_by));
  const pinned = pinnedHits(collection, parameters, filtered);
  for (const id of parameters.hidden_hits) clear(filtered, collection.sequenceOf(id));
  for (const { sequence } of pinned) clear(filtered, sequence);

  const match =
    q === '*' ? everything(filtered) : matchQuery(collection, { q, fields, mask: filtered, parameters });
  // Checked before the facets are counted, and also where nothing is found: a wrong name is always an error.
  const order = parseOrder(collection, parameters.sort_by, match.scores);
  const ordered = firstInOrder(match.sequences, window.offset + window.count, order);
  for (const { sequence, place } of pinned) ordered.splice(Math.min(place, ordered.length), 0, sequence);
  const found = withPinned(match.sequences, pinned);
  const highlightOptions = {
    startTag: parameters.highlight_start_tag,
    endTag: parameters.highlight_end_tag,
    affixTokens: parameters.highlight_affix_num_tokens,
    snippetThreshold: parameters.snippet_threshold,
  };
  return {
    facet_counts: countFacets(collection, found, {
      fields: parameters.facet_by,
      valuesMax: parameters.max_facet_values,
      query: parameters.facet_query,
      highlight: highlightOptions,
    }),
    found: found.length,
    hits: ordered.slice(window.offset, window.offset + window.count).map(sequence =>
      buildHit({
        document: collection.document(sequence),
        score: match.scores[sequence] ?? 0,
        isWildcard: q === '*',
        isPinned: pinned.some(pin => pin.sequence === sequence),
        queryTokenCount: match.matchedWords.length,
        matchedWords: match.matchedWords,
        highlightedFields: parameters.highlight_fields ?? fields.map(field => field.name),
        tokenizer: index.tokenizer,
        options: highlightOptions,
        parameters,
      }),
    ),
    out_of: index.documentCount,
    page: window.page,
    request_params: { collection_name: collection.name, first_q: q, per_page: window.count, q },
    search_cutoff: false,
  };
}

type Window = { readonly offset: number; readonly count: number; readonly page: number };

function windowOf(parameters: SearchParameters): Window {
  const count = parameters.limit ?? parameters.per_page ?? 10;
  if (count > limits.perPageMax) {
    throw new ApiError(422, `Only upto ${limits.perPageMax} hits can be fetched per page.`);
  }
  const page = parameters.page ?? 1;
  if (page === 0 && parameters.offset === undefined) {
    throw new ApiError(422, 'Page must be an integer of value greater than 0.');
  }
  const offset = parameters.offset ?? (page - 1) * count;
  const { limit_hits } = parameters;
  if (limit_hits !== undefined && offset + count > limit_hits) {
    throw new ApiError(422, `Only upto ${limit_hits} hits can be fetched.`);
  }
  return {
    offset,
    count,
    page: parameters.offset === undefined ? page : Math.floor(offset / Math.max(1, count)) + 1,
  };
}

function queriedFields(collection: Collection, parameters: SearchParameters): QueriedField[] {
  const { query_by, query_by_weights, num_typos, prefix } = parameters;
  if (query_by.length > limits.queryFieldsMax) {
    throw new ApiError(400, `Only upto ${limits.queryFieldsMax} fields can be queried.`);
  }
  if (query_by_weights !== undefined && query_by_weights.length !== query_by.length) {
    throw new ApiError(
      400,
      'Number of weights in `query_by_weights` does not match number of `query_by` fields.',
    );
  }
  return query_by.map((name, place) => {
    const field = collection.schema.fields.find(candidate => candidate.name === name);
    if (field === undefined)
      throw new ApiError(404, `Could not find a field named \`${name}\` in the schema.`);
    const column = collection.index.textColumn(name);
    if (!isStringType(field.type)) {
      throw new ApiError(400, `Field \`${name}\` should be a string or a string array.`);
    }
    if (column === undefined) {
      throw new ApiError(400, `Field \`${name}\` is marked as a non-indexed field in the schema.`);
    }
    const typosMax = valueFor(num_typos, { place, count: query_by.length, name: 'num_typos' });
    if (typosMax > 2) throw new ApiError(400, 'Value of `num_typos` must not be greater than 2.');
    return {
      name,
      column,
      // Without weights the fields count in the order in which they are named.
      weight: Math.min(127, query_by_weights?.[place] ?? Math.max(1, 15 - place)),
      typosMax,
      isPrefix: valueFor(prefix, { place, count: query_by.length, name: 'prefix' }),
    };
  });
}

/** One value speaks for every field; otherwise there is one for each. */
function valueFor<Value>(
  values: readonly Value[],
  { place, count, name }: { place: number; count: number; name: string },
): Value {
  const value = values.length === 1 ? values[0] : values[place];
  if (value === undefined || (values.length !== 1 && values.length !== count)) {
    throw new ApiError(400, `Number of values in \`${name}\` does not match number of \`query_by\` fields.`);
  }
  return value;
}

function matchQuery(
  collection: Collection,
  query: { q: string; fields: QueriedField[]; mask: Uint8Array; parameters: SearchParameters },
): TextMatch {
  const { index } = collection;
  const { fields, mask, parameters } = query;
  const text = parseQueryText(query.q, index.tokenizer);
  restrictToPhrases(collection, { text, fields, mask });
  const tokens = [...text.words, ...text.phrases.flat()].slice(0, limits.queryTokensMax);
  if (tokens.length === 0) return none(mask.length);
  const textQuery: TextQuery = {
    tokens,
    fields,
    mask,
    typoThreshold: parameters.typo_tokens_threshold,
    dropThreshold: parameters.drop_tokens_threshold,
    dropMode: parameters.drop_tokens_mode,
    candidatesMax: Math.min(parameters.max_candidates, limits.candidatesMaxCount),
    lengthForOneTypo: parameters.min_len_1typo,
    lengthForTwoTypos: parameters.min_len_2typo,
    typosInNumbers: parameters.enable_typos_for_numerical_tokens,
    typosInAlphanumerics: parameters.enable_typos_for_alpha_numerical_tokens,
    isExhaustive: parameters.exhaustive_search,
    isExactFirst: parameters.prioritize_exact_match,
    isFieldCountUsed: parameters.prioritize_num_matching_fields,
  };
  const match = matchText(index, textQuery);
  if (match.sequences.length > 0 || parameters.split_join_tokens === 'off') return match;
  const respaced = respacedTokens(collection, tokens);
  return respaced === undefined ? match : matchText(index, { ...textQuery, tokens: respaced });
}

function restrictToPhrases(
  collection: Collection,
  { text, fields, mask }: { text: QueryText; fields: readonly QueriedField[]; mask: Uint8Array },
): void {
  const holders = (phrase: readonly string[]): Uint8Array => {
    const held = new Uint8Array(mask.length);
    for (const field of fields) {
      for (const sequence of collection.index.postings.phrase(field.column, phrase)) held[sequence] = 1;
    }
    return held;
  };
  for (const phrase of text.phrases) {
    holders(phrase).forEach((held, sequence) => held === 0 && clear(mask, sequence));
  }
  for (const phrase of text.excluded) {
    holders(phrase).forEach((held, sequence) => held === 1 && clear(mask, sequence));
  }
}

/** "play station" for `playstation`, or the other way round, where the vocabulary knows the result. */
function respacedTokens(collection: Collection, tokens: readonly string[]): string[] | undefined {
  const { vocabulary } = collection.index;
  const joined: string[] = [];
  for (let place = 0; place < tokens.length; place++) {
    const pair = `${tokens[place] ?? ''}${tokens[place + 1] ?? ''}`;
    if (place + 1 < tokens.length && vocabulary.documentCount(pair) > 0) {
      joined.push(pair);
      place++;
    } else joined.push(tokens[place] ?? '');
  }
  if (joined.length < tokens.length) return joined;
  const split = tokens.flatMap(token => {
    if (vocabulary.documentCount(token) > 0) return [token];
    for (let cut = 2; cut <= token.length - 2; cut++) {
      const parts = [token.slice(0, cut), token.slice(cut)];
      if (parts.every(part => vocabulary.documentCount(part) > 0)) return parts;
    }
    return [token];
  });
  return split.length > tokens.length ? split.slice(0, limits.queryTokensMax) : undefined;
}

type Pin = { readonly sequence: number; readonly place: number };

/** `id:position` pairs, positions from 1. Pinned documents are shown whether or not they match. */
function pinnedHits(collection: Collection, parameters: SearchParameters, filtered: Uint8Array): Pin[] {
  const { pinned_hits, hidden_hits, filter_curated_hits } = parameters;
  if (pinned_hits.trim() === '') return [];
  const pins = new Map<number, Pin>();
  for (const part of pinned_hits.split(',')) {
    const pair = /^\s*(.+):(\d{1,6})\s*$/.exec(part);
    const id = pair?.[1];
    const position = Number(pair?.[2]);
    if (id === undefined || position === 0) {
      throw new ApiError(400, 'Pinned hits are not in expected format.');
    }
    const sequence = collection.sequenceOf(id);
    if (sequence === undefined || hidden_hits.includes(id)) continue;
    if (filter_curated_hits && filtered[sequence] === 0) continue;
    pins.set(sequence, { sequence, place: position - 1 });
  }
  return [...pins.values()].toSorted((a, b) => a.place - b.place);
}

function withPinned(sequences: Uint32Array, pinned: readonly Pin[]): Uint32Array {
  if (pinned.length === 0) return sequences;
  const all = new Uint32Array(sequences.length + pinned.length);
  all.set(sequences);
  pinned.forEach(({ sequence }, place) => {
    all[sequences.length + place] = sequence;
  });
  return all;
}

function clear(mask: Uint8Array, sequence: number | undefined): void {
  if (sequence !== undefined) mask[sequence] = 0;
}

const none = (length: number): TextMatch => ({
  sequences: new Uint32Array(0),
  scores: new Uint32Array(length),
  matchedWords: [],
});

function everything(mask: Uint8Array): TextMatch {
  const sequences = new Uint32Array(mask.length);
  let count = 0;
  mask.forEach((isFound, sequence) => {
    if (isFound === 1) sequences[count++] = sequence;
  });
  return { sequences: sequences.subarray(0, count), scores: new Uint32Array(mask.length), matchedWords: [] };
}
