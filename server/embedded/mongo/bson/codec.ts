/**
 * Bytes to values and back. JavaScript has one number type, so a whole number within 32 bits is kept
 * as BSON int32 and every other number as double, exactly as the official JavaScript driver sends
 * them. What cannot be kept exactly that way (Decimal128, integers past 2^53) is refused where it
 * would be stored or compared, never rounded.
 */
import { BSONRegExp, Binary, deserialize, Long, MaxKey, MinKey, ObjectId, serialize, Timestamp } from 'bson';
import { MongoFault } from '../errors.ts';

export type Doc = Record<string, unknown>;

export const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;
/** MongoDB's own bound on nesting; it also keeps our recursion far from the end of the stack. */
const NESTING_MAX = 180;

export const decode = (bytes: Uint8Array): Doc => deserialize(bytes, { bsonRegExp: true });

export const encode = (doc: Doc): Uint8Array => serialize(doc, { ignoreUndefined: true });

/** A plain embedded document: not an array, a date, a buffer, nor one of bson's own classes. */
export function isDoc(value: unknown): value is Doc {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !ArrayBuffer.isView(value) &&
    !(value instanceof RegExp) &&
    !('_bsontype' in value && typeof Object.getPrototypeOf(value)?._bsontype === 'string')
  );
}

export const isObjectId = (value: unknown): value is ObjectId => value instanceof ObjectId;

/** Refuses what this server cannot keep or compare exactly. `where` names the place in the message. */
export function assertExact(value: unknown, where: string, depth = 0): void {
  if (value === undefined)
    throw new MongoFault('BadValue', `the deprecated type undefined is not supported (${where})`);
  if (typeof value !== 'object' || value === null || value instanceof Date) return;
  if (depth > NESTING_MAX)
    throw new MongoFault('Overflow', `nested deeper than ${NESTING_MAX} levels (${where})`);
  if (Array.isArray(value)) {
    for (const item of value) assertExact(item, where, depth + 1);
    return;
  }
  if (isDoc(value)) {
    for (const key of Object.keys(value)) {
      if (key === '__proto__')
        throw new MongoFault('BadValue', `a field may not be named __proto__ (${where})`);
      assertExact(value[key], where, depth + 1);
    }
    return;
  }
  if (
    value instanceof ObjectId ||
    value instanceof Binary ||
    value instanceof BSONRegExp ||
    value instanceof Timestamp ||
    value instanceof MinKey ||
    value instanceof MaxKey
  )
    return;
  if (value instanceof Long)
    throw new MongoFault('BadValue', `integers past 2^53 are not supported by this server (${where})`);
  throw new MongoFault(
    'BadValue',
    `the type ${bsonTypeName(value)} is not supported by this server (${where})`,
  );
}

function bsonTypeName(value: object): string {
  const tag: unknown = Reflect.get(value, '_bsontype');
  return typeof tag === 'string' ? tag : 'of this value';
}

/** MongoDB's alias of a value's type, as `$type` and its error messages use it. */
export function typeAlias(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'number') return (value | 0) === value && !Object.is(value, -0) ? 'int' : 'double';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return 'date';
  if (value instanceof ObjectId) return 'objectId';
  if (value instanceof Binary) return 'binData';
  if (value instanceof BSONRegExp) return 'regex';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof Long) return 'long';
  if (value instanceof MinKey) return 'minKey';
  if (value instanceof MaxKey) return 'maxKey';
  return 'object';
}

export function encodeStored(doc: Doc): Uint8Array {
  const bytes = encode(doc);
  if (bytes.length > DOCUMENT_BYTES_MAX)
    throw new MongoFault(
      'BSONObjectTooLarge',
      `BSONObj size: ${bytes.length} is invalid. Size must be between 0 and ${DOCUMENT_BYTES_MAX}`,
    );
  return bytes;
}

/** A deep copy: updates work on it, so that neither the stored document nor the command is touched. */
export function cloneValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(cloneValue);
  if (value instanceof Date) return new Date(value);
  return isDoc(value) ? cloneDoc(value) : value;
}

export function cloneDoc(doc: Doc): Doc {
  const copy: Doc = {};
  for (const key of Object.keys(doc)) copy[key] = cloneValue(doc[key]);
  return copy;
}
