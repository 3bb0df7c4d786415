/**
 * Reads the row ids of a plan in its order. Rows come in chunks, each from a fresh statement that
 * continues after the last key, so nothing stays open in SQLite between two chunks: a scan may be left
 * for a later getMore, and documents may change under it.
 */
import { bytesAt, type Database, numberAt } from '../storage/database.ts';
import { type Collection, readCounters } from '../storage/collection.ts';
import type { IndexScan, KeyRange, Plan } from './planner.ts';

interface Entry {
  readonly key: Uint8Array;
  readonly rowId: number;
}

/** When the chunk was read that the newest row comes from, as the database counts its writes. */
export interface ChunkMark {
  writesCount: number;
}

const CHUNK_FIRST = 8;
const CHUNK_MAX = 512;

/** `mark` is of use where rows come from one chunk at a time: not where ranges are merged. */
export function* scanPlan(
  collection: Collection,
  plan: Plan,
  mark: ChunkMark = { writesCount: 0 },
): Generator<number> {
  if (plan.kind === 'table') {
    yield* scanTable(collection, plan.reverse);
    return;
  }
  const scans = plan.kind === 'index' ? [plan.scan] : plan.scans;
  const repeats = scans.length > 1 || scans.some(scan => scan.index.arrayBits !== 0);
  const seen = new Set<number>();
  for (const scan of scans) {
    for (const rowId of scanIndex(collection.database, scan, mark)) {
      if (repeats) {
        if (seen.has(rowId)) continue;
        seen.add(rowId);
      }
      yield rowId;
    }
  }
}

function* scanTable(collection: Collection, reverse: boolean): Generator<number> {
  let last = reverse ? Number.MAX_SAFE_INTEGER : 0;
  const sql = reverse
    ? `SELECT rid FROM d_${collection.id} WHERE rid < ? ORDER BY rid DESC LIMIT ?`
    : `SELECT rid FROM d_${collection.id} WHERE rid > ? ORDER BY rid LIMIT ?`;
  for (let size = CHUNK_FIRST; ; size = Math.min(CHUNK_MAX, size * 4)) {
    const rows = collection.database.all(sql, last, size);
    for (const row of rows) {
      last = numberAt(row, 0);
      yield last;
    }
    if (rows.length < size) return;
  }
}

function* scanIndex(database: Database, scan: IndexScan, mark: ChunkMark): Generator<number> {
  if (scan.merge && scan.ranges.length > 1) {
    yield* mergeRanges(database, scan, mark);
    return;
  }
  const ranges = scan.reverse ? scan.ranges.toReversed() : scan.ranges;
  for (const range of ranges)
    for (const entry of scanRange(database, { scan, range, mark })) yield entry.rowId;
}

function* scanRange(
  database: Database,
  { scan, range, mark }: { scan: IndexScan; range: KeyRange; mark: ChunkMark },
): Generator<Entry> {
  const order = scan.reverse ? 'DESC' : 'ASC';
  const from: { key: Uint8Array; rowId: number }[] = [];
  for (let size = CHUNK_FIRST; ; size = Math.min(CHUNK_MAX, size * 4)) {
    const last = from[0];
    const conditions: string[] = [];
    const values: (Uint8Array | number)[] = [];
    if (last) {
      conditions.push(`(key, rid) ${scan.reverse ? '<' : '>'} (?, ?)`);
      values.push(last.key, last.rowId);
    }
    if (range.low && (!last || scan.reverse)) {
      conditions.push('key >= ?');
      values.push(range.low);
    }
    if (range.high && (!last || !scan.reverse)) {
      conditions.push('key < ?');
      values.push(range.high);
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    mark.writesCount = database.writesCount;
    const rows = database.all(
      `SELECT key, rid FROM i_${scan.index.id} ${where} ORDER BY key ${order}, rid ${order} LIMIT ?`,
      ...values,
      size,
    );
    readCounters.keysExamined += rows.length;
    for (const row of rows) {
      const entry = { key: bytesAt(row, 0), rowId: numberAt(row, 1) };
      from[0] = entry;
      yield entry;
    }
    if (rows.length < size) return;
  }
}

function* mergeRanges(database: Database, scan: IndexScan, mark: ChunkMark): Generator<number> {
  const sign = scan.reverse ? -1 : 1;
  const streams = scan.ranges.flatMap(range => {
    const entries = scanRange(database, { scan, range, mark });
    const first = entries.next();
    return first.done ? [] : [{ entries, fixedLength: range.fixedLength, head: first.value }];
  });
  while (streams.length > 0) {
    let least = 0;
    for (let at = 1; at < streams.length; at++) {
      const a = streams[at];
      const b = streams[least];
      if (!a || !b) continue;
      const order = Buffer.compare(a.head.key.subarray(a.fixedLength), b.head.key.subarray(b.fixedLength));
      if (order * sign < 0) least = at;
    }
    const chosen = streams[least];
    if (!chosen) return;
    yield chosen.head.rowId;
    const next = chosen.entries.next();
    if (next.done) streams.splice(least, 1);
    else chosen.head = next.value;
  }
}

/** How many documents the ranges hold; only for plans that are `exact`. */
export function countPlan(collection: Collection, scan: IndexScan): number {
  let total = 0;
  for (const range of scan.ranges) {
    const conditions: string[] = [];
    const values: Uint8Array[] = [];
    if (range.low) {
      conditions.push('key >= ?');
      values.push(range.low);
    }
    if (range.high) {
      conditions.push('key < ?');
      values.push(range.high);
    }
    const where = conditions.length > 0 ? `WHERE ${conditions.join(' AND ')}` : '';
    const row = collection.database.get(`SELECT count(*) FROM i_${scan.index.id} ${where}`, ...values);
    total += row ? numberAt(row, 0) : 0;
  }
  return total;
}
