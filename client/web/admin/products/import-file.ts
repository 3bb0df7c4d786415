// A file of products, cut into records in this browser and sent in parts that fit a body; the server says of each record
// what becomes of it. First the whole file is checked, then it is written, record for record the same, but for those
// that stand twice. Memory does not grow with the file, except for the ids of its products.
import type { ApiInputs, ApiOutputs, Doorbuster } from '../../../index.ts';
import { withRetries } from '../../../index.ts';
import { splitCsv } from '../../../records/csv.ts';
import { splitJsonArray } from '../../../records/json-array.ts';
import { splitJsonLines } from '../../../records/json-lines.ts';
import type { SourceRecord } from '../../../records/source-record.ts';
import { joinVariantRows } from '../../../records/variant-rows.ts';
import { bounds } from '../drops/bounds.ts';

export type ImportFormat = 'json' | 'jsonl' | 'csv';
type Records = ApiInputs['admin']['product']['import']['records'];
type Result = ApiOutputs['admin']['product']['import']['results'][number];

export interface Line {
  readonly record: number;
  readonly line: number;
  readonly field: string;
  readonly reason: string;
}

export interface ImportReport {
  file: string;
  dryRun: boolean;
  records: number;
  /** Products that are in, or would go in. */
  in: number;
  created: number;
  updated: number;
  unchanged: number;
  refusedCount: number;
  refused: Line[];
  adjustedCount: number;
  adjusted: Line[];
  ignoredFields: Record<string, number>;
}

export interface ImportWords {
  readonly notUtf8: string;
  readonly tooLarge: string;
  readonly sameAs: (record: number) => string;
}

/** Kept of each list; beyond it only their number is. */
const linesMax = 10_000;

export function formatOf(name: string): ImportFormat | null {
  if (/\.json$/i.test(name)) return 'json';
  if (/\.(jsonl|ndjson)$/i.test(name)) return 'jsonl';
  return /\.(csv|tsv)$/i.test(name) ? 'csv' : null;
}

export async function importFile(
  api: Doorbuster['api'],
  options: {
    file: File;
    format: ImportFormat;
    currency: string;
    dryRun: boolean;
    signal: AbortSignal;
    words: ImportWords;
    onProgress: (progress: { records: number; share: number }) => void;
  },
): Promise<ImportReport> {
  const { file, format, currency, dryRun, signal, words, onProgress } = options;
  const report: ImportReport = {
    file: file.name,
    dryRun,
    records: 0,
    in: 0,
    created: 0,
    updated: 0,
    unchanged: 0,
    refusedCount: 0,
    refused: [],
    adjustedCount: 0,
    adjusted: [],
    ignoredFields: {},
  };
  const firstOf = new Map<string, number>();
  const lineOf = new Map<number, number>();
  let part: Records = [];
  let partBytes = 0;
  let read = 0;

  const note = (
    list: Line[],
    where: { record: number; line: number },
    problems: readonly { field: string; reason: string }[],
  ) => {
    for (const problem of problems) if (list.length < linesMax) list.push({ ...where, ...problem });
  };
  const refuse = (
    where: { record: number; line: number },
    problems: readonly { field: string; reason: string }[],
  ) => {
    report.refusedCount += 1;
    note(report.refused, where, problems);
  };
  const take = (result: Result) => {
    const where = { record: result.record, line: lineOf.get(result.record) ?? 0 };
    if (result.kind === 'refused') {
      refuse(where, result.problems);
      return;
    }
    report.in += 1;
    if (result.kind !== 'good') report[result.kind] += 1;
    if (result.adjusted.length > 0) {
      report.adjustedCount += 1;
      note(report.adjusted, where, result.adjusted);
    }
    for (const field of result.ignoredFields)
      report.ignoredFields[field] = (report.ignoredFields[field] ?? 0) + 1;
  };
  const call = (procedure: 'check' | 'import', records: Records) =>
    withRetries(() => api.admin.product[procedure].mutate({ records, currency }));
  const send = async () => {
    if (part.length === 0) return;
    const records = part;
    part = [];
    partBytes = 0;
    signal.throwIfAborted();
    const { results } = await call('check', records);
    const twice = new Set<number>();
    for (const result of results) {
      const { productId, record } = result;
      if (productId === undefined) continue;
      const first = firstOf.get(productId);
      if (first === undefined) firstOf.set(productId, record);
      else {
        twice.add(record);
        refuse({ record, line: lineOf.get(record) ?? 0 }, [
          { field: 'productId', reason: words.sameAs(first) },
        ]);
      }
    }
    const rest = records.filter(({ number }) => !twice.has(number));
    if (dryRun) for (const result of results) if (!twice.has(result.record)) take(result);
    if (!dryRun && rest.length > 0) for (const result of (await call('import', rest)).results) take(result);
    lineOf.clear();
    onProgress({ records: report.records, share: file.size === 0 ? 1 : read / file.size });
  };

  const text = readText(file, words.notUtf8, bytes => {
    read = bytes;
  });
  for await (const record of split(text, format)) {
    report.records += 1;
    const where = { record: record.number, line: record.line };
    if (record.kind === 'unreadable') {
      refuse(where, [{ field: '', reason: record.reason }]);
      continue;
    }
    const entry: Records[number] = {
      number: record.number,
      value: record.value,
      ...(record.moreVariants ? { moreVariants: [...record.moreVariants] } : {}),
    };
    const bytes = new Blob([JSON.stringify(entry)]).size;
    if (bytes > bounds.importPartBytes) {
      refuse(where, [{ field: '', reason: words.tooLarge }]);
      continue;
    }
    if (partBytes + bytes > bounds.importPartBytes || part.length >= bounds.importRecordsCount) await send();
    part.push(entry);
    lineOf.set(record.number, record.line);
    partBytes += bytes;
  }
  await send();
  return report;
}

function split(text: AsyncIterable<string>, format: ImportFormat): AsyncIterable<SourceRecord> {
  switch (format) {
    case 'json':
      return splitJsonArray(text);
    case 'jsonl':
      return splitJsonLines(text);
    case 'csv':
      return joinVariantRows(splitCsv(text));
  }
}

async function* readText(
  file: File,
  notUtf8: string,
  onRead: (bytes: number) => void,
): AsyncGenerator<string> {
  // Fatal: bytes that are no UTF-8 would otherwise become question marks in the shop.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const reader = file.stream().getReader();
  let bytes = 0;
  const decode = (chunk?: Uint8Array<ArrayBuffer>) => {
    try {
      return chunk ? decoder.decode(chunk, { stream: true }) : decoder.decode();
    } catch (error) {
      throw new Error(notUtf8, { cause: error });
    }
  };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    bytes += value.length;
    onRead(bytes);
    yield decode(value);
  }
  yield decode();
}
