// One record as it stands in a file: a value, or why there is none.

/**
 * `number` counts records from 1; `line` is where the record begins in the file. `moreVariants` are the rows of a table
 * that follow for the same product, one for each further variant.
 */
export type SourceRecord =
  | { kind: 'record'; number: number; line: number; value: unknown; moreVariants?: readonly unknown[] }
  | { kind: 'unreadable'; number: number; line: number; reason: string };

/** One record must fit in memory; the largest honest product is under 64 KiB. */
export const recordCharsMax = 1024 * 1024;

export function parsedRecord(source: string, at: { number: number; line: number }): SourceRecord {
  try {
    const value: unknown = JSON.parse(source);
    return { kind: 'record', ...at, value };
  } catch (error) {
    return {
      kind: 'unreadable',
      ...at,
      reason: `not JSON: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}
