/**
 * What one predicate says about one field of an index: exact values, or an interval. A bound is a
 * prefix of encoded keys that is wholly in or wholly out.
 */
import { BSONRegExp, MaxKey, MinKey } from 'bson';
import { afterPrefix, encodeKey, invert, TAG } from '../bson/key-encoding.ts';
import type { FieldNode } from './filter.ts';

export interface Bound {
  readonly prefix: Buffer;
  readonly included: boolean;
}

export interface Interval {
  readonly low: Bound;
  readonly high: Bound;
}

export type FieldBounds =
  | {
      readonly kind: 'points';
      readonly keys: readonly Buffer[];
      readonly exact: boolean;
      readonly hasNull: boolean;
    }
  | { readonly kind: 'interval'; readonly interval: Interval; readonly exact: boolean };

const indexable = (value: unknown): boolean =>
  !Array.isArray(value) &&
  !(value instanceof BSONRegExp) &&
  !(value instanceof MinKey) &&
  !(value instanceof MaxKey);

export function boundsOf(node: FieldNode): FieldBounds | undefined {
  const { operator, operand } = node;
  switch (operator) {
    case '$eq':
      return indexable(operand) ? points([operand], true) : undefined;
    case '$in':
      return Array.isArray(operand) && operand.every(indexable) ? points(operand, true) : undefined;
    case '$exists':
      return node.test(undefined) ? points([null], false) : undefined;
    case '$gt':
    case '$gte':
    case '$lt':
    case '$lte':
      return ordered(operator, operand);
    default:
      return undefined;
  }
}

function points(values: readonly unknown[], exact: boolean): FieldBounds {
  const unique = new Map(values.map(value => encodeKey(value)).map(key => [key.toString('latin1'), key]));
  const keys = [...unique.values()].toSorted((a, b) => Buffer.compare(a, b));
  return { kind: 'points', keys, exact, hasNull: keys.some(key => key[0] === TAG.null) };
}

function ordered(operator: '$gt' | '$gte' | '$lt' | '$lte', operand: unknown): FieldBounds | undefined {
  if (!indexable(operand)) return undefined;
  if (operand === null) return operator === '$gte' || operator === '$lte' ? points([null], true) : undefined;
  if (Number.isNaN(operand)) return undefined;
  const key = encodeKey(operand);
  const bracket = key.subarray(0, 1);
  const own = { prefix: key, included: operator === '$gte' || operator === '$lte' };
  // NaN is below every number but within no range.
  const bracketLow =
    key[0] === TAG.number
      ? { prefix: encodeKey(Number.NaN), included: false }
      : { prefix: bracket, included: true };
  const interval =
    operator === '$gt' || operator === '$gte'
      ? { low: own, high: { prefix: bracket, included: true } }
      : { low: bracketLow, high: own };
  return { kind: 'interval', interval, exact: true };
}

const lowBytes = (bound: Bound): Buffer =>
  bound.included ? bound.prefix : (afterPrefix(bound.prefix) ?? bound.prefix);
const highBytes = (bound: Bound): Buffer =>
  bound.included ? (afterPrefix(bound.prefix) ?? bound.prefix) : bound.prefix;

export function intersect(a: Interval, b: Interval): Interval {
  return {
    low: Buffer.compare(lowBytes(a.low), lowBytes(b.low)) >= 0 ? a.low : b.low,
    high: Buffer.compare(highBytes(a.high), highBytes(b.high)) <= 0 ? a.high : b.high,
  };
}

/** The bytes of an interval in an index of that direction: `[low, high)`. */
export function intervalBytes(interval: Interval, direction: 1 | -1): { low: Buffer; high: Buffer } {
  if (direction === 1) return { low: lowBytes(interval.low), high: highBytes(interval.high) };
  const flip = (bound: Bound): Bound => ({ prefix: invert(bound.prefix), included: bound.included });
  return { low: lowBytes(flip(interval.high)), high: highBytes(flip(interval.low)) };
}
