// Records of a file, one after the other, each with its number and line, in memory that does not grow with the file.
// A record that cannot be read is one of them, with its reason: nothing is skipped in silence.
import { createReadStream } from 'node:fs';
import { splitCsv } from '../../client/records/csv.ts';
import { splitJsonArray } from '../../client/records/json-array.ts';
import { splitJsonLines } from '../../client/records/json-lines.ts';
import type { SourceRecord } from '../../client/records/source-record.ts';
import { joinVariantRows } from '../../client/records/variant-rows.ts';

export type ImportFormat = 'json' | 'jsonl' | 'csv';

/** The format by the file's name, or null where that says nothing. */
export function formatOf(file: string): ImportFormat | null {
  if (/\.json$/i.test(file)) return 'json';
  if (/\.(jsonl|ndjson)$/i.test(file)) return 'jsonl';
  if (/\.(csv|tsv)$/i.test(file)) return 'csv';
  return null;
}

/** `onRead` is told the bytes read so far. Throws where the file cannot be opened or is not text in UTF-8. */
export async function* readRecords(
  file: string,
  options: { format: ImportFormat; onRead?: (bytes: number) => void },
): AsyncGenerator<SourceRecord> {
  const text = readText(file, options.onRead);
  switch (options.format) {
    case 'json':
      yield* splitJsonArray(text);
      return;
    case 'jsonl':
      yield* splitJsonLines(text);
      return;
    case 'csv':
      yield* joinVariantRows(splitCsv(text));
  }
}

async function* readText(
  file: string,
  onRead: (bytes: number) => void = () => undefined,
): AsyncGenerator<string> {
  // Fatal: bytes that are no UTF-8 would otherwise become question marks in the shop.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(file)) {
      if (!Buffer.isBuffer(chunk)) throw new Error('the file was not read as bytes');
      bytes += chunk.length;
      onRead(bytes);
      yield decoder.decode(chunk, { stream: true });
    }
    yield decoder.decode();
  } catch (error) {
    if (error instanceof TypeError) throw new Error(`${file} is not text in UTF-8`, { cause: error });
    throw error;
  }
}
