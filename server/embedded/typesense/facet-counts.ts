/**
 * Counts the values of faceted fields over the documents found: one pass over value numbers for each field.
 */
import { ApiError, notSupported } from './api-error.ts';
import type { Collection } from './collection.ts';
import { isStringType } from './collection-schema.ts';
import type { FacetColumn, FacetValue } from './field-columns.ts';
import { highlight, type HighlightOptions } from './highlighter.ts';
import type { MatchedWord } from './text-match.ts';
import type { Tokenizer } from './tokenizer.ts';

export type FacetCounts = {
  readonly counts: readonly {
    readonly count: number;
    readonly highlighted: string;
    readonly value: string;
  }[];
  readonly field_name: string;
  readonly sampled: false;
  readonly stats: {
    readonly avg?: number;
    readonly max?: number;
    readonly min?: number;
    readonly sum?: number;
    readonly total_values: number;
  };
};

export type FacetRequest = {
  readonly fields: readonly string[];
  readonly valuesMax: number;
  /** `field:beginning of a value`, or empty. */
  readonly query: string;
  readonly highlight: HighlightOptions;
};

export function countFacets(
  collection: Collection,
  sequences: ArrayLike<number>,
  request: FacetRequest,
): FacetCounts[] {
  const query = parseFacetQuery(request, collection.index.tokenizer);
  return request.fields.map(name => {
    if (name.includes('(')) throw notSupported(`\`facet_by=${name}\``);
    const field = collection.schema.fields.find(candidate => candidate.name === name);
    const column = collection.index.facets.get(name);
    if (field === undefined || !field.facet || column === undefined) {
      throw new ApiError(404, `Could not find a facet field named \`${name}\` in the schema.`);
    }
    const counts = countValues(column, sequences);
    const words = query?.field === name ? query.words : undefined;
    const values = firstValues(column, counts, {
      valuesMax: request.valuesMax,
      accepts: value =>
        words === undefined || hasBeginnings(collection.index.tokenizer, String(value), words),
    });
    return {
      counts: values.map(({ value, count }) => ({
        count,
        highlighted: highlighted(String(value), words, { tokenizer: collection.index.tokenizer, request }),
        value: String(value),
      })),
      field_name: name,
      sampled: false,
      stats: isStringType(field.type) ? { total_values: distinctCount(counts) } : statsOf(column, counts),
    };
  });
}

function countValues(column: FacetColumn, sequences: ArrayLike<number>): Uint32Array {
  const counts = new Uint32Array(column.dictionary.values.length);
  const { values, lists } = column;
  for (let place = 0; place < sequences.length; place++) {
    const sequence = sequences[place] ?? 0;
    if (lists === undefined) {
      const number = values[sequence] ?? -1;
      if (number >= 0) counts[number] = (counts[number] ?? 0) + 1;
    } else {
      for (const number of lists[sequence] ?? []) counts[number] = (counts[number] ?? 0) + 1;
    }
  }
  return counts;
}

function firstValues(
  column: FacetColumn,
  counts: Uint32Array,
  { valuesMax, accepts }: { valuesMax: number; accepts: (value: FacetValue) => boolean },
): { value: FacetValue; count: number }[] {
  const present: { value: FacetValue; count: number }[] = [];
  counts.forEach((count, number) => {
    const value = column.dictionary.values[number];
    if (count > 0 && value !== undefined && accepts(value)) present.push({ value, count });
  });
  return present.toSorted((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1)).slice(0, valuesMax);
}

function distinctCount(counts: Uint32Array): number {
  let distinct = 0;
  for (const count of counts) if (count > 0) distinct++;
  return distinct;
}

function statsOf(column: FacetColumn, counts: Uint32Array): FacetCounts['stats'] {
  let sum = 0;
  let total = 0;
  let max = Number.NEGATIVE_INFINITY;
  let min = Number.POSITIVE_INFINITY;
  counts.forEach((count, number) => {
    const value = column.dictionary.values[number];
    if (count === 0 || typeof value !== 'number') return;
    sum += value * count;
    total += count;
    max = Math.max(max, value);
    min = Math.min(min, value);
  });
  const total_values = distinctCount(counts);
  return total === 0 ? { total_values } : { avg: sum / total, max, min, sum, total_values };
}

function parseFacetQuery(
  { query, fields }: FacetRequest,
  tokenizer: Tokenizer,
): { field: string; words: string[] } | undefined {
  if (query === '') return undefined;
  const colon = query.indexOf(':');
  if (colon <= 0) throw new ApiError(400, 'Facet query must be in the `facet_field: value` format.');
  const field = query.slice(0, colon).trim();
  if (!fields.includes(field)) {
    throw new ApiError(
      400,
      `Facet query refers to a facet field \`${field}\` that is not part of \`facet_by\` parameter.`,
    );
  }
  return { field, words: tokenizer.tokens(query.slice(colon + 1)) };
}

const hasBeginnings = (tokenizer: Tokenizer, value: string, words: readonly string[]): boolean => {
  const tokens = tokenizer.tokens(value);
  return words.every(word => tokens.some(token => token.startsWith(word)));
};

function highlighted(
  value: string,
  words: readonly string[] | undefined,
  { tokenizer, request }: { tokenizer: Tokenizer; request: FacetRequest },
): string {
  if (words === undefined) return value;
  const matched: MatchedWord[][] = words.map(word => [{ word, cost: 0, isPrefixQuery: true }]);
  return highlight(value, { tokenizer, words: matched, options: request.highlight })?.value ?? value;
}
