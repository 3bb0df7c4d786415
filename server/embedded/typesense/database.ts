/**
 * The one SQLite file. Written through a log that is synced before a write is acknowledged, so neither a kill nor a
 * power loss takes back what a client was told.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const layoutVersion = 1;

export function openDatabase(directory: string): DatabaseSync {
  // Search keys are stored as they are (their holders' signatures are checked with them): no one else's business.
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const db = new DatabaseSync(join(directory, 'search.sqlite'));
  db.exec(`
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
  `);
  const layout = Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
  if (layout !== 0 && layout !== layoutVersion) {
    throw new Error(`the data in ${directory} has layout ${layout}; this version reads ${layoutVersion}`);
  }
  db.exec(`
    BEGIN;
    CREATE TABLE IF NOT EXISTS collections
      (id INTEGER PRIMARY KEY AUTOINCREMENT, created_at_sec INTEGER NOT NULL, schema TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS aliases (name TEXT PRIMARY KEY, collection TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS api_keys (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL);
    PRAGMA user_version = ${layoutVersion};
    COMMIT;
  `);
  return db;
}
