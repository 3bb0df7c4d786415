/**
 * Everything about a collection that a search reads and that can be made anew from its stored documents: FTS5's
 * table, the vocabulary, the columns, and which sequence numbers are alive. What always holds: between two calls the
 * FTS5 table, the vocabulary and the columns speak of the same documents.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { isArrayType, isStringType, type CollectionSchema } from './collection-schema.ts';
import type { Document } from './document-validation.ts';
import {
  newFacetColumn,
  newNumberColumn,
  setFacet,
  setNumber,
  type FacetColumn,
  type NumberColumn,
} from './field-columns.ts';
import { Postings } from './postings.ts';
import { Tokenizer, valueEnd, valueStart } from './tokenizer.ts';
import { Vocabulary } from './vocabulary.ts';

export const createTextTable = (db: DatabaseSync, table: string, schema: CollectionSchema): void => {
  const columns = textFields(schema).map((_, column) => `f${column}`);
  // Contentless: the documents are stored once, as JSON. `prefix` makes the beginnings that people type first cheap.
  db.exec(
    `CREATE VIRTUAL TABLE ${table} USING fts5(${columns.join(', ') || 'f0'},
      content = '', contentless_delete = 1, tokenize = 'ascii', prefix = '1 2 3')`,
  );
};

const textFields = (schema: CollectionSchema): string[] =>
  schema.fields.filter(field => field.index && isStringType(field.type)).map(field => field.name);

export class DocumentIndex {
  readonly tokenizer: Tokenizer;
  readonly vocabulary = new Vocabulary();
  readonly postings: Postings;
  readonly numbers = new Map<string, NumberColumn>();
  readonly facets = new Map<string, FacetColumn>();
  /** 1 for each sequence number that a document has. Its length is the size of every mask of a search. */
  alive = new Uint8Array(1024);
  documentCount = 0;
  readonly #textFields: readonly string[];
  readonly #insert: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync, options: { table: string; schema: CollectionSchema }) {
    const { table, schema } = options;
    this.tokenizer = new Tokenizer({ separators: schema.token_separators, symbols: schema.symbols_to_index });
    this.#textFields = textFields(schema);
    const columns = this.#textFields.map((_, column) => `f${column}`);
    this.postings = new Postings(db, { table, columnCount: columns.length });
    for (const { name, type, index, facet, sort } of schema.fields) {
      if (!index) continue;
      if (!isStringType(type)) this.numbers.set(name, newNumberColumn(isArrayType(type)));
      if (facet || (sort && type === 'string')) this.facets.set(name, newFacetColumn(isArrayType(type)));
    }
    const names = ['rowid', ...(columns.length === 0 ? ['f0'] : columns)];
    this.#insert = db.prepare(
      `INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    );
    this.#delete = db.prepare(`DELETE FROM ${table} WHERE rowid = ?`);
  }

  /** Where a field's words are in FTS5's table; undefined where they are not indexed. */
  textColumn(field: string): number | undefined {
    const column = this.#textFields.indexOf(field);
    return column < 0 ? undefined : column;
  }

  add(sequence: number, document: Document): void {
    const words = new Set<string>();
    const texts = this.#textFields.map(field => this.#indexedText(document[field], words));
    this.#insert.run(sequence, ...(texts.length === 0 ? [''] : texts));
    for (const word of words) this.vocabulary.add(word);
    this.postings.invalidate(words);
    this.addColumns(sequence, document);
  }

  /** A change of stock or price leaves the words alone, and by far most changes are such. */
  replace(sequence: number, { before, after }: { before: Document; after: Document }): void {
    const isTextKept = this.#textFields.every(
      field => JSON.stringify(before[field]) === JSON.stringify(after[field]),
    );
    if (isTextKept) {
      this.documentCount--;
      this.addColumns(sequence, after);
      return;
    }
    this.remove(sequence, before);
    this.add(sequence, after);
  }

  remove(sequence: number, document: Document): void {
    const words = new Set<string>();
    for (const field of this.#textFields) this.#indexedText(document[field], words);
    this.#delete.run(sequence);
    for (const word of words) this.vocabulary.remove(word);
    this.postings.invalidate(words);
    for (const column of this.numbers.values()) setNumber(column, sequence, undefined);
    for (const column of this.facets.values()) setFacet(column, sequence, undefined);
    this.alive[sequence] = 0;
    this.documentCount--;
  }

  /** The part of `add` that FTS5 does not keep: alone when a stored collection is opened. */
  addColumns(sequence: number, document: Document): void {
    for (const [field, column] of this.numbers) setNumber(column, sequence, document[field]);
    for (const [field, column] of this.facets) setFacet(column, sequence, document[field]);
    if (sequence >= this.alive.length) {
      const grown = new Uint8Array(Math.max(this.alive.length * 2, sequence + 1));
      grown.set(this.alive);
      this.alive = grown;
    }
    this.alive[sequence] = 1;
    this.documentCount++;
  }

  #indexedText(value: unknown, words: Set<string>): string {
    const elements = Array.isArray(value) ? value : [value];
    let text = '';
    for (const element of elements) {
      if (typeof element !== 'string') continue;
      const tokens = this.tokenizer.tokens(element);
      for (const token of tokens) words.add(token);
      text += `${valueStart} ${tokens.join(' ')} ${valueEnd} `;
    }
    return text;
  }
}
