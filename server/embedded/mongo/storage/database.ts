/**
 * The one SQLite file under the data directory: documents in a table for each collection, keys in a
 * table for each index. It is opened for this process alone; a second server on the same directory
 * fails to start. What COMMIT has returned for is on the disk (WAL, synchronous=FULL).
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';

/** A failure of SQLite itself: a full disk, an I/O error. The turn it happened in is undone. */
export class StorageFailure extends Error {
  readonly resultCode: number;

  constructor(resultCode: number, cause: unknown) {
    super('the storage failed', { cause });
    this.name = 'StorageFailure';
    this.resultCode = resultCode;
  }
}

const PAGE_BYTES = 4096;
/** Statements kept prepared; the oldest go first, which only costs preparing them again. */
const STATEMENTS_MAX = 2_000;

export type Row = readonly (string | number | bigint | Uint8Array | null)[];

export class Database {
  readonly #sqlite: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #writesCount = 0;

  constructor(options: { dataDir: string; bytesMax?: number }) {
    mkdirSync(options.dataDir, { recursive: true });
    this.#sqlite = new DatabaseSync(join(options.dataDir, 'mongo.sqlite'));
    this.#sqlite.exec(`
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = FULL;
      PRAGMA page_size = ${PAGE_BYTES};
      PRAGMA cache_size = -131072;
      PRAGMA temp_store = MEMORY;
      PRAGMA journal_size_limit = 67108864;
    `);
    if (options.bytesMax !== undefined)
      this.#sqlite.exec(`PRAGMA max_page_count = ${Math.floor(options.bytesMax / PAGE_BYTES)}`);
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#sqlite.prepare(sql);
    statement.setReturnArrays(true);
    if (this.#statements.size >= STATEMENTS_MAX) {
      const oldest = this.#statements.keys().next();
      if (!oldest.done) this.#statements.delete(oldest.value);
    }
    this.#statements.set(sql, statement);
    return statement;
  }

  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : undefined;
      throw typeof code === 'number' ? new StorageFailure(code, error) : error;
    }
  }

  /** Grows with whatever may change what is stored, a turn that is undone included. */
  get writesCount(): number {
    return this.#writesCount;
  }

  run(sql: string, ...values: SQLInputValue[]): { changes: number; rowId: number } {
    this.#writesCount += 1;
    return this.#guarded(() => {
      const result = this.#statement(sql).run(...values);
      return { changes: Number(result.changes), rowId: Number(result.lastInsertRowid) };
    });
  }

  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#guarded(() => {
      const row: unknown = this.#statement(sql).get(...values);
      return isRow(row) ? row : undefined;
    });
  }

  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guarded(() => {
      const rows: unknown = this.#statement(sql).all(...values);
      return Array.isArray(rows) ? rows.filter(isRow) : [];
    });
  }

  exec(sql: string): void {
    if (sql === 'ROLLBACK') this.#writesCount += 1;
    this.#guarded(() => this.#sqlite.exec(sql));
  }

  get inTransaction(): boolean {
    return this.#sqlite.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    this.#sqlite.close();
  }
}

function isRow(row: unknown): row is Row {
  return Array.isArray(row);
}

export const bytesAt = (row: Row, column: number): Uint8Array => {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw new TypeError(`column ${column} holds no bytes`);
  return value;
};

export const numberAt = (row: Row, column: number): number => {
  const value = row[column];
  if (typeof value !== 'number') throw new TypeError(`column ${column} holds no number`);
  return value;
};

export const textAt = (row: Row, column: number): string => {
  const value = row[column];
  if (typeof value !== 'string') throw new TypeError(`column ${column} holds no text`);
  return value;
};
