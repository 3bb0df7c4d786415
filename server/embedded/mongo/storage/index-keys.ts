/**
 * The keys of one document in one index. An array gives a key for each of its elements; two fields
 * may only both run through arrays if it is the same array. A missing field counts as null.
 */
import { type Doc, isDoc } from '../bson/codec.ts';
import { EMPTY_ARRAY_KEY, encodeCompound } from '../bson/key-encoding.ts';
import { MongoFault } from '../errors.ts';
import { matches } from '../query/filter.ts';
import { fieldOf, isIndexPart } from '../query/paths.ts';
import type { IndexSpec } from './index-spec.ts';

/** Encoded keys, without duplicates, and which of the index's fields ran through an array. */
export interface IndexKeys {
  readonly keys: readonly Buffer[];
  readonly values: readonly (readonly unknown[])[];
  /** Bit i is set where field i met an array. */
  readonly arrayBits: number;
}

const NONE: IndexKeys = { keys: [], values: [], arrayBits: 0 };

interface Pending {
  readonly value: unknown;
  readonly rest: readonly string[];
}

export function indexKeys(spec: IndexSpec, doc: Doc): IndexKeys {
  if (spec.partial && !matches(spec.partial, doc)) return NONE;
  const state = { arrayBits: 0, rows: [] as unknown[][] };
  expand(
    spec.fields.map(field => ({ value: doc, rest: field.parts })),
    state,
  );
  if (spec.sparse && state.rows.every(row => row.every(value => value === undefined))) return NONE;
  const directions = spec.fields.map(field => field.direction);
  if (state.rows.length === 1) {
    const row = state.rows[0] ?? [];
    return { keys: [encodeCompound(row, directions)], values: [row], arrayBits: state.arrayBits };
  }
  const unique = new Map<string, { key: Buffer; row: unknown[] }>();
  for (const row of state.rows) {
    const key = encodeCompound(row, directions);
    unique.set(key.toString('latin1'), { key, row });
  }
  const entries = [...unique.values()];
  return {
    keys: entries.map(each => each.key),
    values: entries.map(each => each.row),
    arrayBits: state.arrayBits,
  };
}

/** Follows a path up to the first array on it, or to its end. */
function follow(pending: Pending): Pending {
  let { value } = pending;
  for (const [position, part] of pending.rest.entries()) {
    if (Array.isArray(value)) {
      if (!isIndexPart(part) || Number(part) >= value.length)
        return { value, rest: pending.rest.slice(position) };
      value = value[Number(part)];
    } else value = isDoc(value) ? fieldOf(value, part) : undefined;
    if (value === undefined) return { value: undefined, rest: [] };
  }
  return { value, rest: [] };
}

function expand(fields: readonly Pending[], state: { arrayBits: number; rows: unknown[][] }): void {
  const reached = fields.map(follow);
  const array = reached.find(each => Array.isArray(each.value))?.value;
  if (!Array.isArray(array)) {
    state.rows.push(reached.map(each => each.value));
    return;
  }
  for (const [position, each] of reached.entries()) {
    if (!Array.isArray(each.value)) continue;
    if (each.value !== array)
      throw new MongoFault('CannotIndexParallelArrays', 'cannot index parallel arrays');
    state.arrayBits |= 1 << position;
  }
  if (array.length === 0) {
    state.rows.push(
      reached.map(each =>
        each.value === array ? (each.rest.length === 0 ? EMPTY_ARRAY_KEY : undefined) : each.value,
      ),
    );
    return;
  }
  for (const item of array) {
    const next = reached.map(each =>
      each.value === array ? step(item, each.rest) : { value: each.value, rest: [] },
    );
    // An array inside the array is a value of its own here, not opened again.
    if (Array.isArray(item) && next.some((each, at) => each.value === item && reached[at]?.rest.length === 0))
      state.rows.push(next.map(each => follow(each).value));
    else expand(next, state);
  }
}

const step = (item: unknown, rest: readonly string[]): Pending =>
  rest.length === 0 || isDoc(item) ? { value: item, rest } : { value: undefined, rest: [] };
