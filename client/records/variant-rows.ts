// Rows of a table that belong to one product: those that follow each other with its id and SKUs of their own are its
// variants. Rows of one id elsewhere in the table stay records of their own, and are refused as the same product again.
import type { SourceRecord } from './source-record.ts';

/** One more than a product may have, so that a product with too many is refused for that. */
const rowsMax = 101;

type RowRecord = Extract<SourceRecord, { kind: 'record' }>;

export async function* joinVariantRows(rows: AsyncIterable<SourceRecord>): AsyncGenerator<SourceRecord> {
  let first: RowRecord | null = null;
  let more: unknown[] = [];
  const joined = (record: RowRecord): SourceRecord =>
    more.length === 0 ? record : { ...record, moreVariants: more };
  for await (const row of rows) {
    const id = idOf(row);
    if (first && row.kind === 'record' && id !== null && id === idOf(first) && more.length + 1 < rowsMax) {
      more.push(row.value);
      continue;
    }
    if (first) yield joined(first);
    more = [];
    first = row.kind === 'record' ? row : null;
    if (!first) yield row;
  }
  if (first) yield joined(first);
}

/** Null for a row that is a product by itself: without an id, or without a SKU that another row could add to. */
function idOf(row: SourceRecord): string | null {
  if (row.kind !== 'record' || typeof row.value !== 'object' || row.value === null) return null;
  const cells = new Map<string, unknown>(Object.entries(row.value));
  const id = cells.get('productId') ?? cells.get('id');
  return typeof id === 'string' && cells.has('sku') ? id : null;
}
