/**
 * Values as bytes whose order under memcmp is MongoDB's order of values: the type's place first, then
 * the value. Two values are equal to MongoDB exactly if their bytes are equal (1 and 1.0; documents
 * with the same fields in the same order). Indexes, sorting, `distinct` and equality all rest on it.
 *
 * Strings end with 00 and write an inner 00 as 01 01 and 01 as 01 02, so that no value's bytes begin
 * another's. A component of a descending index has every byte inverted.
 */
import { BSONRegExp, Binary, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';
import { MongoFault } from '../errors.ts';
import { isDoc } from './codec.ts';

export const TAG = {
  minKey: 0x08,
  /** An empty array in an index: below null, so that `null` does not find it. */
  undefined: 0x0f,
  null: 0x10,
  number: 0x20,
  string: 0x30,
  object: 0x40,
  array: 0x50,
  binary: 0x60,
  objectId: 0x70,
  bool: 0x80,
  date: 0x90,
  timestamp: 0x98,
  regex: 0xa0,
  maxKey: 0xf0,
} as const;

/** Stands for an empty array among the keys of an index. */
export const EMPTY_ARRAY_KEY = Symbol('empty array');

class ByteWriter {
  bytes = Buffer.allocUnsafe(256);
  length = 0;

  room(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.bytes.length * 2, this.length + count));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  byte(value: number): void {
    this.room(1);
    this.bytes[this.length++] = value;
  }

  double(value: number): void {
    this.room(8);
    const at = this.length;
    this.length += 8;
    if (Number.isNaN(value)) {
      this.bytes.fill(0, at, at + 8);
      return;
    }
    // Adding 0 turns -0 into 0: the two are one value.
    this.bytes.writeDoubleBE(value + 0, at);
    const first = this.bytes[at] ?? 0;
    if (first & 0x80) for (let i = at; i < at + 8; i++) this.bytes[i] = ~(this.bytes[i] ?? 0) & 0xff;
    else this.bytes[at] = first | 0x80;
  }

  string(value: string): void {
    const size = Buffer.byteLength(value);
    this.room(size + 1);
    if (value.includes('\0') || value.includes('\u0001')) {
      for (const byte of Buffer.from(value)) {
        if (byte <= 1) this.byte(1);
        this.byte(byte <= 1 ? byte + 1 : byte);
      }
    } else {
      this.bytes.write(value, this.length);
      this.length += size;
    }
    this.byte(0);
  }

  raw(value: Uint8Array): void {
    this.room(value.length);
    this.bytes.set(value, this.length);
    this.length += value.length;
  }
}

function write(out: ByteWriter, value: unknown): void {
  if (typeof value === 'number') {
    out.byte(TAG.number);
    out.double(value);
  } else if (typeof value === 'string') {
    out.byte(TAG.string);
    out.string(value);
  } else if (typeof value === 'boolean') {
    out.byte(TAG.bool);
    out.byte(value ? 2 : 1);
  } else writeObject(out, value);
}

function writeObject(out: ByteWriter, value: unknown): void {
  if (value === null || value === undefined) out.byte(TAG.null);
  else if (value === EMPTY_ARRAY_KEY) out.byte(TAG.undefined);
  else if (Array.isArray(value)) {
    out.byte(TAG.array);
    for (const item of value) write(out, item);
    out.byte(0);
  } else if (value instanceof Date) {
    out.byte(TAG.date);
    out.double(value.getTime());
  } else if (value instanceof ObjectId) {
    out.byte(TAG.objectId);
    out.raw(value.id);
  } else if (value instanceof Binary) {
    out.byte(TAG.binary);
    const length = Buffer.alloc(5);
    length.writeUInt32BE(value.length());
    length[4] = value.sub_type;
    out.raw(length);
    out.raw(value.value());
  } else if (value instanceof Timestamp) {
    out.byte(TAG.timestamp);
    const time = Buffer.alloc(8);
    time.writeUInt32BE(value.t >>> 0);
    time.writeUInt32BE(value.i >>> 0, 4);
    out.raw(time);
  } else if (value instanceof BSONRegExp) {
    out.byte(TAG.regex);
    out.string(value.pattern);
    out.string(value.options);
  } else if (value instanceof MinKey) out.byte(TAG.minKey);
  else if (value instanceof MaxKey) out.byte(TAG.maxKey);
  else if (isDoc(value)) writeDoc(out, value);
  else throw new MongoFault('BadValue', 'a value of this type cannot be compared by this server');
}

/** MongoDB compares documents field by field: type, then name, then value. */
function writeDoc(out: ByteWriter, value: Record<string, unknown>): void {
  out.byte(TAG.object);
  for (const key of Object.keys(value)) {
    const at = out.length;
    write(out, value[key]);
    const encoded = Buffer.from(out.bytes.subarray(at, out.length));
    out.length = at;
    out.raw(encoded.subarray(0, 1));
    out.string(key);
    out.raw(encoded.subarray(1));
  }
  out.byte(0);
}

const shared = new ByteWriter();

export function encodeKey(value: unknown): Buffer {
  shared.length = 0;
  write(shared, value);
  return Buffer.from(shared.bytes.subarray(0, shared.length));
}

export function invert(bytes: Uint8Array): Buffer {
  const inverted = Buffer.allocUnsafe(bytes.length);
  for (let i = 0; i < bytes.length; i++) inverted[i] = ~(bytes[i] ?? 0) & 0xff;
  return inverted;
}

/** One key of an index: its components in order, those of descending fields inverted. */
export function encodeCompound(values: readonly unknown[], directions: readonly (1 | -1)[]): Buffer {
  shared.length = 0;
  for (const [position, value] of values.entries()) {
    const at = shared.length;
    write(shared, value);
    if (directions[position] === -1)
      for (let i = at; i < shared.length; i++) shared.bytes[i] = ~(shared.bytes[i] ?? 0) & 0xff;
  }
  return Buffer.from(shared.bytes.subarray(0, shared.length));
}

/** The first bytes after every key that starts with `prefix`, or undefined where there are none. */
export function afterPrefix(prefix: Uint8Array): Buffer | undefined {
  const end = Buffer.from(prefix);
  for (let i = end.length - 1; i >= 0; i--) {
    const byte = end[i] ?? 0;
    if (byte < 0xff) {
      end[i] = byte + 1;
      return end.subarray(0, i + 1);
    }
  }
  return undefined;
}
