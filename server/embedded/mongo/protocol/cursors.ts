/**
 * Open cursors. A cursor holds a paused scan (at most a chunk of row ids) or, after a sort in memory,
 * keys and row ids; never documents. Each document is read when its batch is made and checked against
 * the filter again, so a cursor sees the present state of what it passes: no snapshot. One that nobody
 * used for ten minutes is dropped, as MongoDB does.
 */
import { randomInt } from 'node:crypto';
import { MongoFault } from '../errors.ts';
import { DOCUMENT_BYTES_MAX } from '../bson/codec.ts';
import { type CursorAnswer, cursorReply } from './cursor-reply.ts';

export const CURSOR_IDLE_MS = 10 * 60_000;
const CURSORS_MAX = 10_000;
const FIRST_BATCH = 101;
/** A batch never grows past the size of one document and the frame around it. */
const BATCH_BYTES_MAX = DOCUMENT_BYTES_MAX;

interface Cursor {
  readonly namespace: string;
  readonly rows: Iterator<Uint8Array>;
  /** False once the collection or an index under the scan is gone. */
  readonly alive: () => boolean;
  readonly keepsOpen: boolean;
  pending: Uint8Array | undefined;
  usedAtMs: number;
}

export interface OpenCursor {
  readonly namespace: string;
  readonly rows: Iterable<Uint8Array>;
  readonly alive: () => boolean;
  readonly batchSize: number | undefined;
  readonly singleBatch?: boolean;
  readonly keepsOpen?: boolean;
}

export class Cursors {
  readonly #open = new Map<number, Cursor>();

  get count(): number {
    return this.#open.size;
  }

  /** The answer to the command that opens it; nothing stays open if all fits the first batch. */
  open(options: OpenCursor): Uint8Array {
    const cursor: Cursor = {
      namespace: options.namespace,
      rows: options.rows[Symbol.iterator](),
      alive: options.alive,
      keepsOpen: options.keepsOpen ?? false,
      pending: undefined,
      usedAtMs: Date.now(),
    };
    const documents = takeBatch(cursor, options.batchSize ?? FIRST_BATCH);
    const done = options.singleBatch === true || !hasMore(cursor, options.batchSize);
    const id = done ? 0 : this.#register(cursor);
    return cursorReply({ id, namespace: cursor.namespace, batchName: 'firstBatch', documents });
  }

  #register(cursor: Cursor): number {
    if (this.#open.size >= CURSORS_MAX)
      throw new MongoFault('OperationFailed', `more than ${CURSORS_MAX} open cursors`);
    let id = 0;
    while (id === 0 || this.#open.has(id)) id = randomInt(1, 2 ** 47);
    this.#open.set(id, cursor);
    return id;
  }

  next(id: number, namespace: string, batchSize: number | undefined): Uint8Array {
    const cursor = this.#open.get(id);
    if (!cursor) throw new MongoFault('CursorNotFound', `cursor id ${id} not found`);
    if (cursor.namespace !== namespace)
      throw new MongoFault(
        'BadValue',
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace`,
      );
    if (!cursor.alive()) {
      this.#open.delete(id);
      throw new MongoFault('QueryPlanKilled', 'collection or index dropped while the cursor was open');
    }
    cursor.usedAtMs = Date.now();
    let documents: Uint8Array[];
    try {
      documents = takeBatch(
        cursor,
        batchSize === undefined || batchSize === 0 ? Number.POSITIVE_INFINITY : batchSize,
      );
      if (!hasMore(cursor, batchSize)) this.#open.delete(id);
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
    const answer: CursorAnswer = {
      id: this.#open.has(id) ? id : 0,
      namespace,
      batchName: 'nextBatch',
      documents,
    };
    return cursorReply(answer);
  }

  kill(id: number): boolean {
    return this.#open.delete(id);
  }

  dropIdle(nowMs = Date.now()): void {
    for (const [id, cursor] of this.#open)
      if (!cursor.keepsOpen && nowMs - cursor.usedAtMs > CURSOR_IDLE_MS) this.#open.delete(id);
  }
}

function takeBatch(cursor: Cursor, count: number): Uint8Array[] {
  const documents: Uint8Array[] = [];
  let bytes = 0;
  while (documents.length < count) {
    const row = pull(cursor);
    if (!row) break;
    if (documents.length > 0 && bytes + row.length > BATCH_BYTES_MAX) {
      cursor.pending = row;
      break;
    }
    bytes += row.length;
    documents.push(row);
  }
  return documents;
}

function pull(cursor: Cursor): Uint8Array | undefined {
  const { pending } = cursor;
  if (pending) {
    cursor.pending = undefined;
    return pending;
  }
  const next = cursor.rows.next();
  return next.done ? undefined : next.value;
}

/** Looks one row ahead, so that a result that just fits needs no further round trip. */
function hasMore(cursor: Cursor, batchSize: number | undefined): boolean {
  if (batchSize === 0) return true;
  cursor.pending ??= pull(cursor);
  return cursor.pending !== undefined;
}
