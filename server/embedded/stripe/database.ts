/**
 * The stand-in's durable state: one SQLite file, and one transaction for each turn of the event loop.
 *
 * Every request, settled payment and finished delivery of one turn is a job; jobs run in order inside one BEGIN…COMMIT,
 * each in a savepoint of its own, and are answered only after the commit. So what was answered is stored, effect and
 * idempotency key are stored together or not at all, and thousands of calls a second share their commits.
 *
 * `synchronous=NORMAL` with a write-ahead log: a commit reaches the kernel before it is answered, so it survives a
 * kill -9 of this process. Only a power loss could take the last commits back; a stand-in for tests need not pay an
 * fsync for each turn to prevent that.
 */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS objects (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  created INTEGER NOT NULL,
  payment_intent TEXT,
  charge TEXT,
  customer TEXT,
  type TEXT,
  body TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS objects_by_kind ON objects (kind, created, seq);
CREATE INDEX IF NOT EXISTS objects_by_intent ON objects (payment_intent, kind, created, seq) WHERE payment_intent IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_charge ON objects (charge, kind, created, seq) WHERE charge IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_customer ON objects (customer, kind, created, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS objects_by_type ON objects (type, kind, created, seq) WHERE type IS NOT NULL;

-- What the books sum up, kept apart from the large bodies so that a summary reads little.
CREATE TABLE IF NOT EXISTS ledger (
  payment_intent TEXT PRIMARY KEY,
  status TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount INTEGER NOT NULL,
  capturable INTEGER NOT NULL,
  captured INTEGER NOT NULL,
  refunded INTEGER NOT NULL,
  metadata TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS idempotency (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  key TEXT NOT NULL UNIQUE,
  fingerprint TEXT NOT NULL,
  request_id TEXT NOT NULL,
  status INTEGER NOT NULL,
  body TEXT NOT NULL,
  created_ms INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS timers (
  payment_intent TEXT PRIMARY KEY,
  action TEXT NOT NULL,
  due_ms INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS timers_by_due ON timers (due_ms);

CREATE TABLE IF NOT EXISTS endpoint_secrets (endpoint TEXT PRIMARY KEY, secret TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS deliveries (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  event TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  state TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  due_ms INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS deliveries_due ON deliveries (due_ms, seq) WHERE state = 'pending';
CREATE INDEX IF NOT EXISTS deliveries_by_event ON deliveries (event);
`;

export type SqlValue = string | number | null;

interface Job {
  run: () => void;
  settle: (commitError: unknown) => void;
}

export class Database {
  readonly #db: DatabaseSync;
  readonly #job;
  readonly #part;
  readonly #begin;
  readonly #end;
  #queue: Job[] = [];
  #scheduled = false;
  #afterCommit: Array<() => void> = [];

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#db = new DatabaseSync(join(folder, 'stripe.sqlite'));
    this.#db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;');
    // A checkpoint syncs and copies pages back: one for about 32 MB of log keeps bursts of calls fast.
    this.#db.exec(
      'PRAGMA busy_timeout = 2000; PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 8000;',
    );
    this.#db.exec(SCHEMA);
    this.#job = this.#savepoint('job');
    this.#part = this.#savepoint('part');
    this.#begin = this.#db.prepare('BEGIN IMMEDIATE');
    this.#end = this.#db.prepare('COMMIT');
  }

  #savepoint(name: string) {
    return {
      open: this.#db.prepare(`SAVEPOINT ${name}`),
      undo: this.#db.prepare(`ROLLBACK TO ${name}`),
      close: this.#db.prepare(`RELEASE ${name}`),
    };
  }

  /** A prepared statement; callers keep it. Rows come back as plain records that the caller reads field by field. */
  prepare(sql: string): {
    run: (...values: SqlValue[]) => { changes: number; lastInsertRowid: number };
    get: (...values: SqlValue[]) => Record<string, unknown> | undefined;
    all: (...values: SqlValue[]) => Array<Record<string, unknown>>;
  } {
    const statement = this.#db.prepare(sql);
    return {
      run: (...values) => {
        const { changes, lastInsertRowid } = statement.run(...values);
        return { changes: Number(changes), lastInsertRowid: Number(lastInsertRowid) };
      },
      get: (...values) => statement.get(...values),
      all: (...values) => statement.all(...values),
    };
  }

  /** Runs a job in this turn's transaction; resolves after the commit, with what the job returned or threw. */
  commit<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      let outcome: { ok: true; value: T } | { ok: false; error: unknown };
      this.#queue.push({
        run: () => {
          this.#job.open.run();
          try {
            outcome = { ok: true, value: run() };
          } catch (error) {
            this.#job.undo.run();
            outcome = { ok: false, error };
          }
          this.#job.close.run();
        },
        settle: commitError => {
          if (commitError !== undefined) reject(commitError);
          else if (outcome.ok) resolve(outcome.value);
          else reject(outcome.error);
        },
      });
      if (this.#scheduled) return;
      this.#scheduled = true;
      setImmediate(() => this.#flush());
    });
  }

  /** Runs a part of a job that can be undone by itself: what it wrote before it threw is gone, the job goes on. */
  attempt<T>(run: () => T): T {
    this.#part.open.run();
    try {
      const value = run();
      this.#part.close.run();
      return value;
    } catch (error) {
      this.#part.undo.run();
      this.#part.close.run();
      throw error;
    }
  }

  /** Calls back once the running transaction is durable: for work that must not be seen before its cause is. */
  afterCommit(callback: () => void): void {
    this.#afterCommit.push(callback);
  }

  #flush(): void {
    this.#scheduled = false;
    const jobs = this.#queue;
    this.#queue = [];
    let commitError: unknown;
    try {
      this.#begin.run();
      for (const job of jobs) job.run();
      this.#end.run();
    } catch (error) {
      commitError = error ?? new Error('The transaction failed.');
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
    }
    const callbacks = this.#afterCommit;
    this.#afterCommit = [];
    for (const job of jobs) job.settle(commitError);
    if (commitError === undefined) for (const callback of callbacks) callback();
  }

  /** All of the account's data; what belongs to this installation (keys, clock) stays. */
  clear(): void {
    this.#db.exec(
      'DELETE FROM objects; DELETE FROM ledger; DELETE FROM idempotency; DELETE FROM timers; DELETE FROM endpoint_secrets; DELETE FROM deliveries;',
    );
  }

  close(): void {
    if (this.#queue.length > 0) this.#flush();
    this.#db.close();
  }
}
