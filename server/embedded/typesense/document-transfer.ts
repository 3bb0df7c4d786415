/**
 * Documents in bulk, one JSON per line: import with an answer for each line, and export in pieces.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { ApiError } from './api-error.ts';
import type { Collection, IndexAction } from './collection.ts';
import { parseDocument, type DirtyValues } from './document-validation.ts';
import { filterMask } from './filter-evaluation.ts';
import type { Filter } from './filter-parser.ts';
import { limits } from './limits.ts';
import { selectFields } from './search-hit.ts';

export type ImportOptions = {
  readonly action: IndexAction;
  readonly dirtyValues: DirtyValues;
  readonly returnId: boolean;
  readonly returnDocument: boolean;
};

/**
 * Each batch is one transaction, durable before the next begins, and other requests are answered in between. A line
 * that is refused leaves the others alone.
 */
export async function importDocuments(
  collection: Collection,
  body: string,
  options: ImportOptions,
): Promise<string> {
  const lines = body.split('\n').filter(line => line.trim() !== '');
  if (lines.length === 0) throw new ApiError(400, 'The request body was empty. So, no-op.');
  const results: string[] = [];
  for (let start = 0; start < lines.length; start += limits.importBatchCount) {
    const batch = lines.slice(start, start + limits.importBatchCount);
    collection.write(() => {
      for (const line of batch) results.push(importLine(collection, line, options));
    });
    await nextTurn();
  }
  return results.join('\n');
}

function importLine(collection: Collection, line: string, options: ImportOptions): string {
  try {
    const stored = collection.put(parseDocument(line), options);
    return JSON.stringify({
      ...(options.returnDocument ? { document: stored } : {}),
      ...(options.returnId ? { id: stored['id'] } : {}),
      success: true,
    });
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return JSON.stringify({ code: error.status, document: line, error: error.message, success: false });
  }
}

export type ExportOptions = {
  readonly filter: Filter | undefined;
  readonly included: readonly string[];
  readonly excluded: readonly string[];
};

/** Lines in the order in which documents were added, in pieces of bounded size, without a newline at the very end. */
export function* exportDocuments(collection: Collection, options: ExportOptions): Generator<string> {
  // Which documents match is settled at the beginning; one that is deleted meanwhile is left out.
  const mask = filterMask(collection, options.filter);
  let sequence = -1;
  let isFirst = true;
  for (;;) {
    const batch = collection.documentsAfter(sequence, limits.exportBatchCount);
    const last = batch.at(-1);
    if (last === undefined) return;
    sequence = last.sequence;
    const lines = batch
      .filter(stored => mask[stored.sequence] === 1)
      .map(({ document }) => JSON.stringify(selectFields(document, options.included, options.excluded)));
    if (lines.length === 0) continue;
    yield `${isFirst ? '' : '\n'}${lines.join('\n')}`;
    isFirst = false;
  }
}
