/**
 * Group commit. The commands that arrive within one turn of the event loop share one SQLite
 * transaction, and none is answered before its COMMIT has returned: an acknowledged write is on the
 * disk. A command that fails undoes nothing of its neighbours'. If the storage itself fails, the whole
 * transaction is undone and each of its commands is run again alone, so that only those that cannot be
 * stored are refused.
 */
import { MongoFault } from '../errors.ts';
import type { Catalog } from '../storage/catalog.ts';
import { StorageFailure } from '../storage/database.ts';

export interface Work<T> {
  readonly run: () => T;
  /** Whether it may be run a second time after its first effects were undone. */
  readonly repeatable: boolean;
  readonly done: (outcome: Outcome<T>) => void;
}

export type Outcome<T> =
  | { readonly kind: 'ok'; readonly value: T }
  | { readonly kind: 'failed'; readonly error: unknown };

/** Bounds on one transaction: a crowd must not wait for a turn that never ends. */
const TURN_COMMANDS_MAX = 1_000;
const TURN_MS_MAX = 25;

export class Turns<T> {
  readonly #catalog: Catalog;
  #queue: Work<T>[] = [];
  #scheduled = false;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  submit(work: Work<T>): void {
    this.#queue.push(work);
    this.#schedule();
  }

  get idle(): boolean {
    return this.#queue.length === 0;
  }

  #schedule(): void {
    if (this.#scheduled || this.#queue.length === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.runTurn();
      this.#schedule();
    });
  }

  runTurn(): void {
    const database = this.#catalog.database;
    const outcomes: { work: Work<T>; outcome: Outcome<T> }[] = [];
    const startedMs = performance.now();
    let taken = 0;
    try {
      database.exec('BEGIN');
      while (taken < this.#queue.length && taken < TURN_COMMANDS_MAX) {
        const work = this.#queue[taken];
        if (!work) break;
        taken += 1;
        outcomes.push({ work, outcome: attempt(work) });
        if (performance.now() - startedMs > TURN_MS_MAX) break;
      }
      database.exec('COMMIT');
    } catch (error) {
      if (!(error instanceof StorageFailure)) throw error;
      this.#undo();
      const failed = this.#queue.slice(0, Math.max(taken, 1));
      this.#queue = this.#queue.slice(failed.length);
      for (const work of failed)
        work.done(work.repeatable ? this.#alone(work) : { kind: 'failed', error: storageFault(error) });
      return;
    }
    this.#queue = this.#queue.slice(taken);
    for (const { work, outcome } of outcomes) work.done(outcome);
  }

  #alone(work: Work<T>): Outcome<T> {
    const database = this.#catalog.database;
    try {
      database.exec('BEGIN');
      const outcome = attempt(work);
      database.exec('COMMIT');
      return outcome;
    } catch (error) {
      this.#undo();
      return { kind: 'failed', error: error instanceof StorageFailure ? storageFault(error) : error };
    }
  }

  #undo(): void {
    if (this.#catalog.database.inTransaction) this.#catalog.database.exec('ROLLBACK');
    this.#catalog.reload();
  }
}

/** Storage failures are not one command's affair and go up; every other error is its answer. */
function attempt<T>(work: Work<T>): Outcome<T> {
  try {
    return { kind: 'ok', value: work.run() };
  } catch (error) {
    if (error instanceof StorageFailure) throw error;
    return { kind: 'failed', error };
  }
}

const SQLITE_FULL = 13;
const SQLITE_TOOBIG = 18;

function storageFault(failure: StorageFailure): MongoFault {
  const primary = failure.resultCode & 0xff;
  if (primary === SQLITE_FULL)
    return new MongoFault('OutOfDiskSpace', 'the disk, or the space given to this server, is full');
  if (primary === SQLITE_TOOBIG)
    return new MongoFault('BSONObjectTooLarge', 'the document is too large to be stored');
  return new MongoFault('InternalError', `the storage failed (SQLite result ${failure.resultCode})`);
}
