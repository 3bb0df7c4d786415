import type { Readable } from 'node:stream';

// A line longer than this is cut: a child that prints without an end must not fill this process' memory.
const LINE_LENGTH_MAX = 64 * 1024;

/** Calls `onLine` for each line that a child prints, the last one without a line end included. */
export function splitLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = (lines.pop() ?? '').slice(0, LINE_LENGTH_MAX);
    for (const line of lines) onLine(line);
  });
  stream.on('end', () => {
    if (rest !== '') onLine(rest);
    rest = '';
  });
}
