/**
 * One collection: its documents in SQLite, their index, and the four ways to write a document.
 *
 * What always holds: every change runs inside `write`, is committed before it returns, and either changes stored
 * documents and index together or, where the transaction fails, the index is made anew from what is stored.
 * `version` grows with every change, so an answer kept under it is never served after a write.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { ApiError } from './api-error.ts';
import { changedSchema, type CollectionSchema, type SchemaChange } from './collection-schema.ts';
import { createTextTable, DocumentIndex } from './document-index.ts';
import { parseDocument, validDocument, type DirtyValues, type Document } from './document-validation.ts';
import { valueEnd, valueStart } from './tokenizer.ts';

export const indexActions = ['create', 'upsert', 'update', 'emplace'] as const;
export type IndexAction = (typeof indexActions)[number];

export type CollectionRow = {
  readonly id: number;
  readonly createdAtSec: number;
  readonly schema: CollectionSchema;
};

/** SQLite's result code for a disk, or a permitted size, that is used up. */
const sqliteFull = 13;

type Stored = { readonly sequence: number; readonly document: Document };

export class Collection {
  readonly id: number;
  readonly createdAtSec: number;
  version = 0;
  readonly #db: DatabaseSync;
  readonly #textTable: string;
  readonly #documentTable: string;
  readonly #byId: StatementSync;
  readonly #bySequence: StatementSync;
  readonly #after: StatementSync;
  readonly #insert: StatementSync;
  readonly #replace: StatementSync;
  readonly #delete: StatementSync;
  #schema: CollectionSchema;
  #index: DocumentIndex;
  #nextSequence = 0;
  #isChanged = false;
  #isDropped = false;

  /** `isNew` makes the tables; the caller's transaction makes them and the collection's own row one change. */
  constructor(db: DatabaseSync, row: CollectionRow, isNew: boolean) {
    this.id = row.id;
    this.createdAtSec = row.createdAtSec;
    this.#db = db;
    this.#schema = row.schema;
    this.#textTable = `text_${row.id}`;
    this.#documentTable = `documents_${row.id}`;
    const table = this.#documentTable;
    if (isNew) {
      db.exec(
        `CREATE TABLE ${table} (sequence INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, body TEXT NOT NULL)`,
      );
      createTextTable(db, this.#textTable, row.schema);
    }
    this.#byId = db.prepare(`SELECT sequence, body FROM ${table} WHERE id = ?`);
    this.#bySequence = db.prepare(`SELECT sequence, body FROM ${table} WHERE sequence = ?`);
    this.#after = db.prepare(
      `SELECT sequence, body FROM ${table} WHERE sequence > ? ORDER BY sequence LIMIT ?`,
    );
    this.#insert = db.prepare(`INSERT INTO ${table} (sequence, id, body) VALUES (?, ?, ?)`);
    this.#replace = db.prepare(`UPDATE ${table} SET body = ? WHERE sequence = ?`);
    this.#delete = db.prepare(`DELETE FROM ${table} WHERE sequence = ?`);
    this.#index = this.#loadedIndex();
  }

  get schema(): CollectionSchema {
    return this.#schema;
  }

  get name(): string {
    return this.#schema.name;
  }

  get index(): DocumentIndex {
    return this.#index;
  }

  find(id: string): Document | undefined {
    return this.#stored(this.#byId.get(id))?.document;
  }

  sequenceOf(id: string): number | undefined {
    const row = this.#byId.get(id);
    return row === undefined ? undefined : Number(row['sequence']);
  }

  document(sequence: number): Document {
    const stored = this.#stored(this.#bySequence.get(sequence));
    if (stored === undefined)
      throw new Error(`document ${sequence} of ${this.name} is indexed but not stored`);
    return stored.document;
  }

  /** Documents in order of their sequence numbers, at most `count` of those after the one given. */
  documentsAfter(sequence: number, count: number): Stored[] {
    return this.#after
      .all(sequence, count)
      .map(row => this.#stored(row))
      .filter(stored => stored !== undefined);
  }

  /** Runs `change` in one transaction; `put` and `remove` may be called from nowhere else. */
  write<Result>(change: () => Result): Result {
    // An import goes on in turns, and somebody else may have deleted the collection in between.
    if (this.#isDropped) throw new ApiError(404, 'Collection not found');
    this.#isChanged = false;
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const result = change();
      this.#db.exec('COMMIT');
      return result;
    } catch (error) {
      // SQLite has already rolled back by itself after some errors, such as a full disk.
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      if (this.#isChanged) this.#index = this.#loadedIndex();
      throw isDiskFull(error) ? outOfDisk() : error;
    } finally {
      if (this.#isChanged) this.version++;
    }
  }

  /** Returns the document as it is stored from now on. */
  put(
    document: Document,
    { action, dirtyValues }: { action: IndexAction; dirtyValues: DirtyValues },
  ): Document {
    const id = typeof document['id'] === 'string' ? document['id'] : undefined;
    const old = id === undefined ? undefined : this.#stored(this.#byId.get(id));
    if (action === 'create' && old !== undefined) {
      throw new ApiError(409, `A document with id ${id} already exists.`);
    }
    if (action === 'update' && old === undefined) {
      if (id === undefined) throw new ApiError(400, 'For update, the `id` key must be provided.');
      throw new ApiError(404, `Could not find a document with id: ${id}`);
    }
    const isMerged = (action === 'update' || action === 'emplace') && old !== undefined;
    const next = isMerged ? { ...old.document, ...document } : document;
    const valid = validDocument(this.#schema, next, dirtyValues);
    this.#isChanged = true;
    if (old === undefined) {
      const sequence = this.#nextSequence++;
      const stored = { id: id ?? this.#freeId(sequence), ...valid };
      this.#insert.run(sequence, stored.id, JSON.stringify(stored));
      this.#index.add(sequence, stored);
      return stored;
    }
    this.#replace.run(JSON.stringify(valid), old.sequence);
    this.#index.replace(old.sequence, { before: old.document, after: valid });
    return valid;
  }

  remove(sequence: number): Document {
    const document = this.document(sequence);
    this.#isChanged = true;
    this.#index.remove(sequence, document);
    this.#delete.run(sequence);
    return document;
  }

  /** Adds and drops fields; every stored document must fit the new ones, or nothing changes. */
  changeSchema(changes: readonly SchemaChange[], save: (schema: CollectionSchema) => void): void {
    const schema = changedSchema(this.#schema, changes);
    const index = this.write(() => {
      this.#isChanged = true;
      this.#db.exec(`DROP TABLE ${this.#textTable}`);
      createTextTable(this.#db, this.#textTable, schema);
      const next = new DocumentIndex(this.#db, { table: this.#textTable, schema });
      for (const { sequence, document } of this.#everyDocument()) {
        const valid = validDocument(schema, document, 'coerce_or_reject');
        this.#replace.run(JSON.stringify(valid), sequence);
        next.add(sequence, valid);
      }
      save(schema);
      return next;
    });
    // Not before the commit: where it fails, `write` makes the index anew by the schema that is still stored.
    this.#schema = schema;
    this.#index = index;
  }

  /** Replaces what the schema says besides its fields. */
  setMetadata(metadata: Record<string, unknown>): CollectionSchema {
    this.#schema = { ...this.#schema, metadata };
    return this.#schema;
  }

  /** The caller's transaction also removes the collection's own row; `retire` follows its commit. */
  dropTables(): void {
    this.#db.exec(`DROP TABLE ${this.#textTable}; DROP TABLE ${this.#documentTable}`);
  }

  retire(): void {
    this.#isDropped = true;
  }

  #freeId(sequence: number): string {
    let id = String(sequence);
    while (this.#byId.get(id) !== undefined) id = `${id}-${sequence}`;
    return id;
  }

  *#everyDocument(): Generator<Stored> {
    let sequence = -1;
    for (;;) {
      const batch = this.documentsAfter(sequence, 1000);
      const last = batch.at(-1);
      if (last === undefined) return;
      yield* batch;
      sequence = last.sequence;
    }
  }

  #loadedIndex(): DocumentIndex {
    const index = new DocumentIndex(this.#db, { table: this.#textTable, schema: this.#schema });
    let last = -1;
    for (const { sequence, document } of this.#everyDocument()) {
      index.addColumns(sequence, document);
      last = sequence;
    }
    this.#nextSequence = last + 1;
    const words = `words_${this.id}`;
    this.#db.exec(`CREATE VIRTUAL TABLE IF NOT EXISTS temp.${words}
      USING fts5vocab('main', '${this.#textTable}', 'row')`);
    for (const row of this.#db.prepare(`SELECT term, doc FROM temp.${words}`).iterate()) {
      const word = String(row['term']);
      if (word !== valueStart && word !== valueEnd) index.vocabulary.add(word, Number(row['doc']));
    }
    this.#db.exec(`DROP TABLE temp.${words}`);
    return index;
  }

  #stored(row: Record<string, unknown> | undefined): Stored | undefined {
    if (row === undefined) return undefined;
    return { sequence: Number(row['sequence']), document: parseDocument(String(row['body'])) };
  }
}

const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'errcode' in error && error.errcode === sqliteFull;

/** As Typesense refuses writes before its disk is full. */
const outOfDisk = (): ApiError =>
  new ApiError(422, 'Rejecting write: running out of resource type: OUT_OF_DISK');
