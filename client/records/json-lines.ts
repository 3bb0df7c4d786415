// One JSON value on each line; empty lines are skipped. A line that is no JSON is one refused record.
import { parsedRecord, recordCharsMax, type SourceRecord } from './source-record.ts';

export async function* splitJsonLines(text: AsyncIterable<string>): AsyncGenerator<SourceRecord> {
  let rest = '';
  let line = 0;
  let number = 0;
  const recordOf = (source: string): SourceRecord | null => {
    line += 1;
    if (source.trim() === '') return null;
    number += 1;
    return parsedRecord(source, { number, line });
  };
  for await (const chunk of text) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > recordCharsMax) throw new Error(`line ${line + 1} is longer than a record may be`);
    for (const source of lines) {
      const record = recordOf(source);
      if (record) yield record;
    }
  }
  const last = recordOf(rest);
  if (last) yield last;
}
