/**
 * One collection: its documents and the keys of every index, always changed together. Uniqueness is
 * looked up before the first write of a document, so that a duplicate leaves nothing half-written;
 * the tables' own constraints stand behind it.
 */
import { type Doc, decode, encodeStored, isObjectId } from '../bson/codec.ts';
import { EMPTY_ARRAY_KEY } from '../bson/key-encoding.ts';
import { MongoFault } from '../errors.ts';
import { bytesAt, type Database, numberAt } from './database.ts';
import { type IndexKeys, indexKeys } from './index-keys.ts';
import { type IndexSpec, keyPattern } from './index-spec.ts';

export interface Index {
  readonly id: number;
  readonly spec: IndexSpec;
  /** Fields that have met an array in some document; it never shrinks. */
  arrayBits: number;
}

/** A document as it is stored; it is decoded where somebody looks into it, which many reads never do. */
export class Stored {
  readonly rowId: number;
  readonly bytes: Uint8Array;
  #doc: Doc | undefined;

  constructor(rowId: number, bytes: Uint8Array) {
    this.rowId = rowId;
    this.bytes = bytes;
  }

  get doc(): Doc {
    this.#doc ??= decode(this.bytes);
    return this.#doc;
  }
}

export interface CollectionParts {
  readonly database: Database;
  readonly id: number;
  readonly db: string;
  readonly name: string;
  readonly uuid: Uint8Array;
  readonly indexes: Index[];
}

/** Documents read from storage since the start: how a test sees whether an index was used. */
export const readCounters = { docsExamined: 0, keysExamined: 0 };

export class Collection {
  readonly id: number;
  readonly db: string;
  readonly name: string;
  readonly uuid: Uint8Array;
  readonly indexes: Index[];
  readonly database: Database;

  constructor(parts: CollectionParts) {
    this.database = parts.database;
    this.id = parts.id;
    this.db = parts.db;
    this.name = parts.name;
    this.uuid = parts.uuid;
    this.indexes = parts.indexes;
  }

  get namespace(): string {
    return `${this.db}.${this.name}`;
  }

  count(): number {
    const row = this.database.get(`SELECT count(*) FROM d_${this.id}`);
    return row ? numberAt(row, 0) : 0;
  }

  read(rowId: number): Stored | undefined {
    const row = this.database.get(`SELECT doc FROM d_${this.id} WHERE rid = ?`, rowId);
    if (!row) return undefined;
    readCounters.docsExamined += 1;
    return new Stored(rowId, bytesAt(row, 0));
  }

  insert(doc: Doc): void {
    const bytes = encodeStored(doc);
    const keys = this.indexes.map(index => indexKeys(index.spec, doc));
    this.#assertUnique(keys, undefined);
    const { rowId } = this.database.run(`INSERT INTO d_${this.id} (doc) VALUES (?)`, bytes);
    for (const [position, index] of this.indexes.entries()) this.#addKeys(index, keys[position], rowId);
  }

  /** Replaces a document; false where its bytes stay the same, and nothing is written. */
  replace(before: Stored, doc: Doc): boolean {
    const bytes = encodeStored(doc);
    if (Buffer.compare(bytes, before.bytes) === 0) return false;
    const after = this.indexes.map(index => indexKeys(index.spec, doc));
    this.#assertUnique(after, before.rowId);
    this.database.run(`UPDATE d_${this.id} SET doc = ? WHERE rid = ?`, bytes, before.rowId);
    for (const [position, index] of this.indexes.entries()) {
      const now = after[position];
      const old = indexKeys(index.spec, before.doc);
      if (now && sameKeys(old, now)) continue;
      this.#removeKeys(index, old, before.rowId);
      this.#addKeys(index, now, before.rowId);
    }
    return true;
  }

  remove(stored: Stored): void {
    for (const index of this.indexes)
      this.#removeKeys(index, indexKeys(index.spec, stored.doc), stored.rowId);
    this.database.run(`DELETE FROM d_${this.id} WHERE rid = ?`, stored.rowId);
  }

  /** Fills a new index from the documents that are there. */
  buildIndex(index: Index): void {
    let last = 0;
    for (;;) {
      const rows = this.database.all(
        `SELECT rid, doc FROM d_${this.id} WHERE rid > ? ORDER BY rid LIMIT 500`,
        last,
      );
      if (rows.length === 0) return;
      for (const row of rows) {
        last = numberAt(row, 0);
        const keys = indexKeys(index.spec, decode(bytesAt(row, 1)));
        if (index.spec.unique) this.#assertUniqueIn(index, keys, last);
        this.#addKeys(index, keys, last);
      }
    }
  }

  #assertUnique(keys: readonly IndexKeys[], ownRowId: number | undefined): void {
    for (const [position, index] of this.indexes.entries()) {
      const own = keys[position];
      if (index.spec.unique && own) this.#assertUniqueIn(index, own, ownRowId);
    }
  }

  #assertUniqueIn(index: Index, own: IndexKeys, ownRowId: number | undefined): void {
    for (const [position, key] of own.keys.entries()) {
      const row = this.database.get(`SELECT rid FROM i_${index.id} WHERE key = ?`, key);
      if (row && numberAt(row, 0) !== ownRowId)
        throw duplicateKey(this.namespace, index.spec, own.values[position] ?? []);
    }
  }

  #addKeys(index: Index, own: IndexKeys | undefined, rowId: number): void {
    if (!own) return;
    for (const key of own.keys)
      this.database.run(`INSERT INTO i_${index.id} (key, rid) VALUES (?, ?)`, key, rowId);
    const bits = index.arrayBits | own.arrayBits;
    if (bits !== index.arrayBits) {
      index.arrayBits = bits;
      this.database.run('UPDATE indexes SET array_bits = ? WHERE id = ?', bits, index.id);
    }
  }

  #removeKeys(index: Index, old: IndexKeys, rowId: number): void {
    for (const key of old.keys)
      this.database.run(`DELETE FROM i_${index.id} WHERE key = ? AND rid = ?`, key, rowId);
  }
}

function sameKeys(a: IndexKeys, b: IndexKeys): boolean {
  return (
    a.keys.length === b.keys.length &&
    a.keys.every((key, at) => Buffer.compare(key, b.keys[at] ?? Buffer.alloc(0)) === 0)
  );
}

function duplicateKey(namespace: string, spec: IndexSpec, values: readonly unknown[]): MongoFault {
  const keyValue = Object.fromEntries(spec.fields.map((field, at) => [field.path, shownValue(values[at])]));
  const shown = Object.entries(keyValue).map(([path, value]) => `${path}: ${shownText(value)}`);
  return new MongoFault(
    'DuplicateKey',
    `E11000 duplicate key error collection: ${namespace} index: ${spec.name} dup key: { ${shown.join(', ')} }`,
    { keyPattern: keyPattern(spec), keyValue },
  );
}

const shownValue = (value: unknown): unknown => (value === EMPTY_ARRAY_KEY ? [] : (value ?? null));

/** As MongoDB's message shows it: `{ user: ObjectId('…') }`. */
const shownText = (value: unknown): string =>
  isObjectId(value) ? `ObjectId('${value.toHexString()}')` : JSON.stringify(value);
