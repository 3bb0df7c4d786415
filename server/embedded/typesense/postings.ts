/**
 * Which documents hold a word in a field: asked of FTS5, kept decoded for the words that are searched often.
 *
 * FTS5 answers as one JSON array, because a row per document costs ten times as much to carry into JavaScript
 * (100,000 rows: 100 ms against 14 ms). What always holds: after `invalidate` no answer predates the write.
 */
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { LRUCache } from 'lru-cache';
import { limits } from './limits.ts';
import { valueEnd, valueStart } from './tokenizer.ts';

type Phrase = { readonly sequences: Uint32Array; readonly words: readonly string[] };

/** Above this many words a write empties the cache: cheaper than looking up each word's beginnings. */
const wordsInvalidatedSinglyMax = 300;

export class Postings {
  readonly #match: StatementSync;
  readonly #columnCount: number;
  readonly #cache = new LRUCache<string, Uint32Array>({
    maxSize: limits.postingsCacheEntries,
    sizeCalculation: sequences => sequences.length + 32,
  });
  readonly #phrases = new LRUCache<string, Phrase>({
    maxSize: limits.postingsCacheEntries / 4,
    sizeCalculation: phrase => phrase.sequences.length + 32,
  });

  constructor(db: DatabaseSync, options: { table: string; columnCount: number }) {
    this.#columnCount = options.columnCount;
    this.#match = db.prepare(
      `SELECT json_group_array(rowid) AS sequences FROM ${options.table} WHERE ${options.table} MATCH ?`,
    );
  }

  word(column: number, word: string): Uint32Array {
    return this.#cached(`${column}=${word}`, `{f${column}} : "${word}"`);
  }

  /** Every word with this beginning, the word itself included. */
  prefix(column: number, prefix: string): Uint32Array {
    return this.#cached(`${column}^${prefix}`, `{f${column}} : "${prefix}" *`);
  }

  /** Words next to each other; with `prefix` the last may be only the beginning of a word. */
  phrase(column: number, words: readonly string[], prefix = false): Uint32Array {
    const expression = `{f${column}} : "${words.join(' ')}"${prefix ? ' *' : ''}`;
    const kept = this.#phrases.get(expression);
    if (kept !== undefined) return kept.sequences;
    const sequences = this.#read(expression);
    const whole = words.slice(0, prefix ? -1 : undefined);
    this.#phrases.set(expression, {
      sequences,
      words: whole.filter(word => word !== valueStart && word !== valueEnd),
    });
    return sequences;
  }

  /** Documents with a value that is these words and nothing else. */
  wholeValue(column: number, words: readonly string[]): Uint32Array {
    return this.phrase(column, [valueStart, ...words, valueEnd]);
  }

  invalidate(words: ReadonlySet<string>): void {
    // Only a document that holds every word of a phrase can join or leave its list.
    for (const [expression, phrase] of this.#phrases) {
      if (phrase.words.every(word => words.has(word))) this.#phrases.delete(expression);
    }
    if (this.#cache.size === 0) return;
    if (words.size > wordsInvalidatedSinglyMax) {
      this.#cache.clear();
      return;
    }
    for (const word of words) {
      for (let column = 0; column < this.#columnCount; column++) {
        this.#cache.delete(`${column}=${word}`);
        for (let length = 1; length <= word.length; length++) {
          this.#cache.delete(`${column}^${word.slice(0, length)}`);
        }
      }
    }
  }

  #cached(key: string, expression: string): Uint32Array {
    const kept = this.#cache.get(key);
    if (kept !== undefined) return kept;
    const sequences = this.#read(expression);
    this.#cache.set(key, sequences);
    return sequences;
  }

  #read(expression: string): Uint32Array {
    const row = this.#match.get(expression);
    const json = row?.['sequences'];
    if (typeof json !== 'string') throw new Error('FTS5 answered without a list of documents');
    const parsed: unknown = JSON.parse(json);
    if (!Array.isArray(parsed)) throw new Error('FTS5 answered something that is not a list');
    return Uint32Array.from(parsed, Number);
  }
}
