/** The top level of a stored document as bytes: fields are copied without being decoded. https://bsonspec.org/spec.html */

/** Bytes of a value by its type; those with a length of their own are read below. */
const FIXED_BYTES: Readonly<Record<number, number>> = {
  1: 8, // double
  7: 12, // ObjectId
  8: 1, // boolean
  9: 8, // date
  10: 0, // null
  16: 4, // int32
  17: 8, // timestamp
  18: 8, // int64
  127: 0, // MaxKey
  255: 0, // MinKey
};
const STRING = 2;
const DOCUMENT = 3;
const ARRAY = 4;
const BINARY = 5;
const REGEX = 11;

/** A document of those fields alone, in its own order. */
export function keepElements(bytes: Uint8Array, names: ReadonlySet<string>): Uint8Array {
  const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const kept = Buffer.allocUnsafe(source.length);
  let length = 4;
  for (let at = 4; at < source.length - 1; ) {
    const nameEnd = source.indexOf(0, at + 1);
    const end = valueEnd(source, source[at] ?? 0, nameEnd + 1);
    if (names.has(source.toString('utf8', at + 1, nameEnd))) length += source.copy(kept, length, at, end);
    at = end;
  }
  kept[length] = 0;
  kept.writeInt32LE(length + 1, 0);
  return kept.subarray(0, length + 1);
}

function valueEnd(source: Buffer, type: number, at: number): number {
  const fixed = FIXED_BYTES[type];
  if (fixed !== undefined) return at + fixed;
  switch (type) {
    case STRING:
      return at + 4 + source.readInt32LE(at);
    case DOCUMENT:
    case ARRAY:
      return at + source.readInt32LE(at);
    case BINARY:
      return at + 5 + source.readInt32LE(at);
    case REGEX:
      return source.indexOf(0, source.indexOf(0, at) + 1) + 1;
    default:
      // What is stored was encoded here, and only of these types.
      throw new TypeError(`a stored value of type ${type}`);
  }
}
