/** Filter, sort, skip and limit over a collection, as a stream of stored documents. */
import { type Doc, isDoc } from '../bson/codec.ts';
import { equalValues } from '../bson/value-order.ts';
import { MongoFault } from '../errors.ts';
import type { Collection, Index, Stored } from '../storage/collection.ts';
import { keyPattern } from '../storage/index-spec.ts';
import { type FilterNode, matches, parseFilter } from './filter.ts';
import { makePlan, type Plan } from './planner.ts';
import { countPlan, scanPlan } from './scan.ts';
import { parseSort, type SortField, sortKey } from './sort.ts';

export interface Selection {
  readonly filter: FilterNode;
  readonly sort: readonly SortField[];
  readonly skip: number;
  /** 0 is no limit. */
  readonly limit: number;
  readonly hint: unknown;
}

export function parseSelection(spec: {
  filter?: unknown;
  sort?: unknown;
  skip?: unknown;
  limit?: unknown;
  hint?: unknown;
}): Selection {
  return {
    filter: parseFilter(spec.filter),
    sort: parseSort(spec.sort),
    skip: countOf(spec.skip, 'skip'),
    limit: countOf(spec.limit, 'limit'),
    hint: spec.hint,
  };
}

export function countOf(value: unknown, name: string): number {
  if (value === undefined || value === null) return 0;
  if (typeof value !== 'number')
    throw new MongoFault('TypeMismatch', `BSON field '${name}' is the wrong type, expected a number`);
  if (!Number.isFinite(value) || value < 0)
    throw new MongoFault('BadValue', `BSON field '${name}' value must be >= 0, actual value '${value}'`);
  return Math.trunc(value);
}

function planOf(collection: Collection, selection: Selection): Plan {
  const natural = selection.sort.find(field => field.path === '$natural');
  if (natural) {
    if (selection.sort.length > 1)
      throw new MongoFault('BadValue', '$natural sort cannot be combined with other fields');
    return { kind: 'table', sorted: true, reverse: natural.direction === -1 };
  }
  const { hint } = selection;
  if (isDoc(hint) && '$natural' in hint)
    return { kind: 'table', sorted: selection.sort.length === 0, reverse: hint['$natural'] === -1 };
  return makePlan({ ...selection, indexes: collection.indexes, hint: hintedIndex(collection, hint) });
}

function hintedIndex(collection: Collection, hint: unknown): Index | undefined {
  if (hint === undefined || hint === null || (isDoc(hint) && Object.keys(hint).length === 0))
    return undefined;
  const found = collection.indexes.find(index =>
    typeof hint === 'string' ? index.spec.name === hint : equalValues(keyPattern(index.spec), hint),
  );
  if (!found) throw new MongoFault('BadValue', 'hint provided does not correspond to an existing index');
  return found;
}

export function* select(collection: Collection, selection: Selection): Generator<Stored> {
  const plan = planOf(collection, selection);
  const sorted = plan.kind !== 'union' && plan.sorted;
  const source =
    sorted || selection.sort.length === 0
      ? checked(collection, plan, selection.filter)
      : sortedInMemory(collection, plan, selection);
  let toSkip = selection.skip;
  let left = selection.limit === 0 ? Number.POSITIVE_INFINITY : selection.limit;
  for (const stored of source) {
    if (toSkip > 0) {
      toSkip -= 1;
      continue;
    }
    yield stored;
    left -= 1;
    if (left <= 0) return;
  }
}

/**
 * Each document is held against the filter, but for those whose index key says all that the filter asks, and is known to
 * be theirs still: nothing was written since the key was read. Those need not be decoded.
 */
function* checked(collection: Collection, plan: Plan, filter: FilterNode): Generator<Stored> {
  const { database } = collection;
  const mark = { writesCount: 0 };
  const isExact = plan.kind === 'index' && plan.exact && !plan.scan.merge;
  for (const rowId of scanPlan(collection, plan, mark)) {
    const stored = collection.read(rowId);
    if (!stored) continue;
    const isSaidByKey = isExact && mark.writesCount === database.writesCount;
    if (isSaidByKey || matches(filter, stored.doc)) yield stored;
  }
}

/** Holds keys and row ids, not documents; each document is read again, and checked, when its turn comes. */
function* sortedInMemory(collection: Collection, plan: Plan, selection: Selection): Generator<Stored> {
  const rows: { key: Buffer; rowId: number }[] = [];
  for (const { rowId, doc } of checked(collection, plan, selection.filter))
    rows.push({ key: sortKey(doc, selection.sort), rowId });
  rows.sort((a, b) => Buffer.compare(a.key, b.key));
  for (const { rowId } of rows) {
    const stored = collection.read(rowId);
    if (stored && matches(selection.filter, stored.doc)) yield stored;
  }
}

export function countMatching(collection: Collection, selection: Selection): number {
  const plan = planOf(collection, { ...selection, sort: [] });
  const total = countAll(collection, plan, selection);
  const rest = Math.max(0, total - selection.skip);
  return selection.limit === 0 ? rest : Math.min(rest, selection.limit);
}

function countAll(collection: Collection, plan: Plan, selection: Selection): number {
  if (selection.filter.kind === 'and' && selection.filter.nodes.length === 0 && plan.kind === 'table')
    return collection.count();
  if (plan.kind === 'index' && plan.exact) return countPlan(collection, plan.scan);
  let total = 0;
  for (const _stored of checked(collection, plan, selection.filter)) total += 1;
  return total;
}

/** Row ids of everything that matches, taken before the first change, so that no change is met twice. */
export function collectRowIds(collection: Collection, selection: Selection): number[] {
  return [...select(collection, selection)].map(stored => stored.rowId);
}

export const docsOf = function* (rows: Iterable<Stored>): Generator<Doc> {
  for (const row of rows) yield row.doc;
};
