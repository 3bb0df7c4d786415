/** MongoDB's order and equality of values, over the same bytes as the indexes use. */
import { ObjectId } from 'bson';
import { encodeKey, TAG } from './key-encoding.ts';

export function compareValues(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number' && !Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  return Buffer.compare(encodeKey(a), encodeKey(b));
}

export function equalValues(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a === 'string' || typeof b === 'string' || typeof a === 'boolean' || typeof b === 'boolean')
    return false;
  if (typeof a === 'number' && typeof b === 'number') return Number.isNaN(a) && Number.isNaN(b);
  if (a instanceof ObjectId && b instanceof ObjectId) return a.equals(b);
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  return encodeKey(a).equals(encodeKey(b));
}

/** The tag of a value's type bracket: `$lt` and its like compare only within one. */
export function bracketOf(value: unknown): number {
  if (typeof value === 'number') return TAG.number;
  if (typeof value === 'string') return TAG.string;
  if (typeof value === 'boolean') return TAG.bool;
  return encodeKey(value)[0] ?? TAG.null;
}
