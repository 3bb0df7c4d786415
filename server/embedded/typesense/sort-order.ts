/**
 * The order of hits: up to three fields or the text match, then the text match, then the later document first.
 * A document without a value for a field comes last, whichever way the field is sorted.
 */
import { ApiError, notSupported } from './api-error.ts';
import type { Collection } from './collection.ts';
import { limits } from './limits.ts';

/** Negative where document `a` comes before `b`. */
export type Order = (a: number, b: number) => number;

type Key = { readonly values: ArrayLike<number>; readonly ranks?: Float64Array; readonly sign: 1 | -1 };

export function parseOrder(collection: Collection, sortBy: string, scores: Uint32Array): Order {
  const { default_sorting_field } = collection.schema;
  const clauses = sortBy
    .split(',')
    .map(clause => clause.trim())
    .filter(clause => clause !== '');
  if (clauses.length > limits.sortFieldsMax) {
    throw new ApiError(422, `Only upto ${limits.sortFieldsMax} sort_by fields can be specified.`);
  }
  const keys = clauses.map(clause => keyOf(collection, clause, scores));
  if (!clauses.some(clause => clause.startsWith('_text_match'))) keys.push({ values: scores, sign: -1 });
  if (clauses.length === 0 && default_sorting_field !== '') {
    keys.push(keyOf(collection, `${default_sorting_field}:desc`, scores));
  }
  return (a, b) => {
    for (const key of keys) {
      const difference = compareBy(key, a, b);
      if (difference !== 0) return difference;
    }
    return b - a;
  };
}

function keyOf(collection: Collection, clause: string, scores: Uint32Array): Key {
  const parts = /^([^\s:()]+)\s*:\s*(asc|desc)$/i.exec(clause);
  const name = parts?.[1];
  if (name === undefined) {
    if (clause.includes('(')) throw notSupported(`\`sort_by=${clause}\``);
    throw new ApiError(400, 'Parameter `sort_by` is malformed.');
  }
  const sign = parts?.[2]?.toLowerCase() === 'asc' ? 1 : -1;
  if (name === '_text_match') return { values: scores, sign };
  const field = collection.schema.fields.find(candidate => candidate.name === name);
  if (field === undefined || !field.index || !field.sort) {
    throw new ApiError(404, `Could not find a field named \`${name}\` in the schema for sorting.`);
  }
  const facet = field.type === 'string' ? collection.index.facets.get(name) : undefined;
  if (facet !== undefined) return { values: facet.values, ranks: facet.dictionary.ranks(), sign };
  const numbers = collection.index.numbers.get(name);
  if (numbers === undefined) throw new Error(`sortable field ${name} has no column`);
  return { values: numbers.values, sign };
}

function compareBy({ values, ranks, sign }: Key, a: number, b: number): number {
  const left = ranks === undefined ? values[a] : ranks[values[a] ?? -1];
  const right = ranks === undefined ? values[b] : ranks[values[b] ?? -1];
  const isLeftMissing = left === undefined || Number.isNaN(left);
  const isRightMissing = right === undefined || Number.isNaN(right);
  if (isLeftMissing || isRightMissing) return Number(isLeftMissing) - Number(isRightMissing);
  return left === right ? 0 : left < right ? -sign : sign;
}

/**
 * The first `count` in order, in order. A heap of that size, its root the worst of the best: most documents of a
 * broad search are compared once and forgotten.
 */
export function firstInOrder(sequences: Uint32Array, count: number, order: Order): number[] {
  if (count <= 0) return [];
  if (count >= sequences.length / 4) return Array.from(sequences).toSorted(order).slice(0, count);
  const heap: number[] = [];
  for (const sequence of sequences) {
    if (heap.length < count) {
      heap.push(sequence);
      siftUp(heap, order);
    } else if (order(sequence, heap[0] ?? 0) < 0) {
      heap[0] = sequence;
      siftDown(heap, order);
    }
  }
  return heap.toSorted(order);
}

function siftUp(heap: number[], order: Order): void {
  let child = heap.length - 1;
  while (child > 0) {
    const parent = (child - 1) >> 1;
    if (order(heap[child] ?? 0, heap[parent] ?? 0) <= 0) return;
    swap(heap, child, parent);
    child = parent;
  }
}

function siftDown(heap: number[], order: Order): void {
  let parent = 0;
  for (;;) {
    let worst = parent;
    for (const child of [2 * parent + 1, 2 * parent + 2]) {
      if (child < heap.length && order(heap[child] ?? 0, heap[worst] ?? 0) > 0) worst = child;
    }
    if (worst === parent) return;
    swap(heap, parent, worst);
    parent = worst;
  }
}

function swap(heap: number[], a: number, b: number): void {
  const kept = heap[a] ?? 0;
  heap[a] = heap[b] ?? 0;
  heap[b] = kept;
}
