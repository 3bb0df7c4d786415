/**
 * Chooses how a filter and a sort are served: by ranges of one index (merged where `$in` splits them
 * and the sort follows), by a union for `$or`, or by reading the whole collection. A plan never
 * decides what matches: every document is checked against the filter again, except where `exact`
 * says that the ranges hold precisely the matching documents.
 */
import { afterPrefix, invert } from '../bson/key-encoding.ts';
import { equalValues } from '../bson/value-order.ts';
import type { Index } from '../storage/collection.ts';
import type { IndexField } from '../storage/index-spec.ts';
import { boundsOf, type FieldBounds, type Interval, intersect, intervalBytes } from './bounds.ts';
import { conjuncts, type FieldNode, type FilterNode, holdsFor } from './filter.ts';
import type { SortField } from './sort.ts';

/** Keys from `low` (included) to `high` (excluded); either may be open. */
export interface KeyRange {
  readonly low: Buffer | undefined;
  readonly high: Buffer | undefined;
  /** Length of the part that is the same in every key of the range. */
  readonly fixedLength: number;
}

export interface IndexScan {
  readonly index: Index;
  readonly ranges: readonly KeyRange[];
  readonly reverse: boolean;
  /** The ranges are read side by side, least key (after the fixed part) first. */
  readonly merge: boolean;
}

export type Plan =
  | { readonly kind: 'table'; readonly sorted: boolean; readonly reverse: boolean }
  | { readonly kind: 'index'; readonly scan: IndexScan; readonly sorted: boolean; readonly exact: boolean }
  | { readonly kind: 'union'; readonly scans: readonly IndexScan[] };

/** More combinations of `$in` values than this are not split into ranges. */
const RANGES_MAX = 2_000;

export interface PlanRequest {
  readonly filter: FilterNode;
  readonly sort: readonly SortField[];
  readonly indexes: readonly Index[];
  readonly hint?: Index | undefined;
}

export function makePlan(request: PlanRequest): Plan {
  const parts = conjuncts(request.filter);
  const candidates = request.hint ? [request.hint] : request.indexes;
  let best: Candidate | undefined;
  for (const index of candidates) {
    const candidate = consider(index, parts, request.sort, request.hint !== undefined);
    if (candidate && (!best || candidate.score > best.score)) best = candidate;
  }
  if (best && (best.bounded || request.hint)) return best.plan;
  const union = request.hint ? undefined : planUnion(parts, request.indexes);
  if (union) return union;
  if (best) return best.plan;
  return { kind: 'table', sorted: request.sort.length === 0, reverse: false };
}

function planUnion(parts: readonly FilterNode[], indexes: readonly Index[]): Plan | undefined {
  for (const part of parts) {
    if (part.kind !== 'or') continue;
    const scans: IndexScan[] = [];
    for (const branch of part.nodes) {
      const plan = makePlan({ filter: branch, sort: [], indexes });
      if (plan.kind === 'index' && plan.scan.ranges.every(range => range.low || range.high))
        scans.push(plan.scan);
      else if (plan.kind === 'union') scans.push(...plan.scans);
      else break;
    }
    if (scans.length >= part.nodes.length) return { kind: 'union', scans };
  }
  return undefined;
}

interface Candidate {
  readonly plan: Plan;
  readonly score: number;
  readonly bounded: boolean;
}

interface Prefix {
  readonly points: readonly (readonly Buffer[])[];
  readonly interval: Interval | undefined;
  readonly exact: boolean;
  readonly used: ReadonlySet<FilterNode>;
  readonly excludesMissing: boolean;
}

function consider(
  index: Index,
  parts: readonly FilterNode[],
  sort: readonly SortField[],
  forced: boolean,
): Candidate | undefined {
  const { spec } = index;
  const partialParts = spec.partial ? conjuncts(spec.partial) : [];
  if (!partialParts.every(part => part.kind === 'field' && implied(part, parts))) return undefined;
  const prefix = boundFields(index, parts);
  if (spec.sparse && !prefix.excludesMissing) return undefined;
  const bounded = prefix.points.length > 0 || prefix.interval !== undefined;
  const order = sortedBy(index, prefix, sort);
  if (!bounded && !forced && (order === undefined || sort.length === 0)) return undefined;
  const ranges = makeRanges(spec.fields, prefix);
  const merge = order?.merge ?? false;
  const whole = prefix.points.length === spec.fields.length;
  return {
    bounded,
    score:
      prefix.points.length * 10 +
      (whole && spec.unique ? 100 : 0) +
      (prefix.interval ? 4 : 0) +
      (order && sort.length > 0 ? 5 : 0) -
      (spec.partial || spec.sparse ? 0 : 0.5),
    plan: {
      kind: 'index',
      scan: { index, ranges, reverse: order?.reverse ?? false, merge },
      sorted: order !== undefined,
      exact: prefix.exact && parts.every(part => prefix.used.has(part)) && index.arrayBits === 0,
    },
  };
}

const isFieldNode = (node: FilterNode): node is FieldNode => node.kind === 'field';

function boundFields(index: Index, parts: readonly FilterNode[]): Prefix {
  const points: (readonly Buffer[])[] = [];
  const used = new Set<FilterNode>();
  let exact = true;
  let combinations = 1;
  let excludesMissing = false;
  let arrayFieldBound = false;
  let interval: Interval | undefined;
  for (const [position, field] of index.spec.fields.entries()) {
    const isArray = (index.arrayBits & (1 << position)) !== 0;
    // Two conditions may be met by two elements of an array, but one key holds one element.
    if (isArray && arrayFieldBound) break;
    const own = fieldBounds(field, parts, isArray);
    if (!own) break;
    arrayFieldBound ||= isArray;
    exact &&= own.bounds.exact;
    if (own.bounds.kind === 'interval') {
      for (const node of own.nodes) used.add(node);
      excludesMissing = true;
      interval = own.bounds.interval;
      break;
    }
    if (combinations * own.bounds.keys.length > RANGES_MAX) break;
    for (const node of own.nodes) used.add(node);
    combinations *= own.bounds.keys.length;
    excludesMissing ||= !own.bounds.hasNull;
    points.push(own.bounds.keys);
  }
  return { points, interval, exact, used, excludesMissing };
}

function fieldBounds(
  field: IndexField,
  parts: readonly FilterNode[],
  isArray: boolean,
): { bounds: FieldBounds; nodes: FilterNode[] } | undefined {
  let found: { bounds: FieldBounds; nodes: FilterNode[] } | undefined;
  for (const node of parts) {
    if (!isFieldNode(node) || node.path !== field.path) continue;
    const bounds = boundsOf(node);
    if (!bounds) continue;
    if (!found) found = { bounds, nodes: [node] };
    else if (
      bounds.kind === 'points' &&
      (found.bounds.kind !== 'points' || bounds.keys.length < found.bounds.keys.length)
    )
      found = { bounds, nodes: [node] };
    else if (bounds.kind === 'interval' && found.bounds.kind === 'interval' && !isArray) {
      const interval = intersect(found.bounds.interval, bounds.interval);
      found = { bounds: { kind: 'interval', interval, exact: true }, nodes: [...found.nodes, node] };
    }
  }
  return found;
}

function makeRanges(fields: readonly IndexField[], prefix: Prefix): KeyRange[] {
  let starts: Buffer[] = [Buffer.alloc(0)];
  for (const [position, keys] of prefix.points.entries()) {
    const own = fields[position]?.direction === -1 ? keys.map(invert) : keys;
    starts = starts.flatMap(start => own.map(key => Buffer.concat([start, key])));
  }
  const next = fields[prefix.points.length];
  const bytes = prefix.interval && next ? intervalBytes(prefix.interval, next.direction) : undefined;
  const ranges = starts.map((start): KeyRange => {
    if (bytes)
      return {
        low: Buffer.concat([start, bytes.low]),
        high: Buffer.concat([start, bytes.high]),
        fixedLength: start.length,
      };
    if (start.length === 0) return { low: undefined, high: undefined, fixedLength: 0 };
    return { low: start, high: afterPrefix(start), fixedLength: start.length };
  });
  return ranges
    .filter(range => !range.low || !range.high || Buffer.compare(range.low, range.high) < 0)
    .toSorted((a, b) => Buffer.compare(a.low ?? Buffer.alloc(0), b.low ?? Buffer.alloc(0)));
}

/** How the index's order serves the sort, if it does. */
function sortedBy(
  index: Index,
  prefix: Prefix,
  sort: readonly SortField[],
): { reverse: boolean; merge: boolean } | undefined {
  const fields = index.spec.fields;
  const fixed = (position: number): boolean =>
    prefix.points[position]?.length === 1 && (index.arrayBits & (1 << position)) === 0;
  const fixedPaths = new Set(fields.filter((_, position) => fixed(position)).map(field => field.path));
  const wanted = sort.filter(field => !fixedPaths.has(field.path));
  if (wanted.length === 0) return { reverse: false, merge: false };
  const inSequence = follows(index, wanted, 0, fixed);
  if (inSequence !== undefined) return { reverse: inSequence, merge: false };
  const merged = follows(index, wanted, prefix.points.length, () => false);
  return merged === undefined ? undefined : { reverse: merged, merge: true };
}

function follows(
  index: Index,
  wanted: readonly SortField[],
  from: number,
  skippable: (position: number) => boolean,
): boolean | undefined {
  let position = from;
  let reverse: boolean | undefined;
  for (const field of wanted) {
    while (index.spec.fields[position]?.path !== field.path && skippable(position)) position += 1;
    const own = index.spec.fields[position];
    if (own?.path !== field.path || (index.arrayBits & (1 << position)) !== 0) return undefined;
    const against = own.direction !== field.direction;
    if (reverse !== undefined && reverse !== against) return undefined;
    reverse = against;
    position += 1;
  }
  return reverse ?? false;
}

/** Whether every document that meets `parts` also meets this condition of a partial index. */
function implied(condition: FieldNode, parts: readonly FilterNode[]): boolean {
  return parts.some(part => {
    if (!isFieldNode(part) || part.path !== condition.path) return false;
    if (part.operator === condition.operator && equalValues(part.operand, condition.operand)) return true;
    if (part.operator === '$eq' && !Array.isArray(part.operand)) return impliedBy(condition, part.operand);
    if (part.operator === '$in' && Array.isArray(part.operand))
      return part.operand.every(value => !Array.isArray(value) && impliedBy(condition, value));
    if (condition.operator === '$exists')
      return (
        ['$gt', '$gte', '$lt', '$lte', '$type', '$size', '$mod', '$regex'].includes(part.operator) &&
        part.operand !== null
      );
    return false;
  });
}

const impliedBy = (condition: FieldNode, value: unknown): boolean =>
  value === null ? false : holdsFor(condition, value);
