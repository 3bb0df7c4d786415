// Which products a file has named so far, and in which record, outside the heap: SQLite keeps them in a temporary file
// that no other process sees and that vanishes with its connection, behind a page cache that does not grow.
import { DatabaseSync } from 'node:sqlite';

const pageCacheKib = 4 * 1024;

export interface SeenProducts {
  /** The record that named the product first, where it is not this one; else this one is remembered as the first. */
  firstRecord(productId: string, record: number): number | null;
  close(): void;
}

export function openSeenProducts(): SeenProducts {
  // SQLite's own words for it: an empty name is a temporary database on disk.
  const database = new DatabaseSync('');
  database.exec(`PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -${pageCacheKib}`);
  database.exec('CREATE TABLE seen (product TEXT PRIMARY KEY, record INTEGER NOT NULL) WITHOUT ROWID');
  // One transaction for the whole file: nothing here outlives it.
  database.exec('BEGIN');
  const insert = database.prepare('INSERT OR IGNORE INTO seen (product, record) VALUES (?, ?)');
  const find = database.prepare('SELECT record FROM seen WHERE product = ?');
  return {
    firstRecord(productId, record) {
      if (insert.run(productId, record).changes === 1) return null;
      const first = find.get(productId)?.['record'];
      if (typeof first !== 'number') throw new Error('a product that is known must have a first record');
      return first;
    },
    close: () => database.close(),
  };
}
