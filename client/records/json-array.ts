// Cuts a JSON array into its elements while it is being read, so that a file larger than memory can be imported. Only
// brackets and strings are understood here; each element is then parsed by JSON.parse itself. An element that is no
// JSON is one refused record, as long as its brackets and quotes are closed; a file that ends inside one is an error.
import { parsedRecord, recordCharsMax, type SourceRecord } from './source-record.ts';

const places = { before: 0, between: 1, inside: 2, after: 3 } as const;
type Place = (typeof places)[keyof typeof places];

export async function* splitJsonArray(text: AsyncIterable<string>): AsyncGenerator<SourceRecord> {
  const cutter = new ArrayCutter();
  for await (const chunk of text) yield* cutter.push(chunk);
  cutter.end();
}

class ArrayCutter {
  #place: Place = places.before;
  #line = 1;
  #number = 0;
  /** Open brackets inside the element. */
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** What of the element was in earlier chunks. */
  #held = '';
  #startLine = 1;

  *push(chunk: string): Generator<SourceRecord> {
    let start = 0;
    for (let index = 0; index < chunk.length; index += 1) {
      const character = chunk[index] ?? '';
      if (character === '\n') this.#line += 1;
      if (this.#place === places.inside) {
        if (!this.#isEnd(character)) continue;
        yield this.#record(this.#held + chunk.slice(start, index));
        this.#held = '';
        this.#place = character === ']' ? places.after : places.between;
      } else if (this.#isStart(character)) {
        start = index;
      }
    }
    if (this.#place === places.inside) {
      this.#held += chunk.slice(start);
      if (this.#held.length > recordCharsMax) {
        throw new Error(`the record that begins on line ${this.#startLine} is longer than a record may be`);
      }
    }
  }

  end(): void {
    switch (this.#place) {
      case places.before:
        throw new Error('the file is empty: a JSON array of products is expected');
      case places.between:
        throw new Error(
          `the array is not closed: the file ends on line ${this.#line} after record ${this.#number}`,
        );
      case places.inside:
        throw new Error(
          `the file ends inside record ${this.#number + 1}, which begins on line ${this.#startLine}`,
        );
      case places.after:
    }
  }

  /** Between elements: true where the next one begins. */
  #isStart(character: string): boolean {
    if (/\s/.test(character) || (character === '\uFEFF' && this.#place === places.before)) return false;
    if (this.#place === places.before) {
      if (character !== '[') {
        throw new Error('the file is not a JSON array: use --format jsonl for one JSON object on each line');
      }
      this.#place = places.between;
      return false;
    }
    if (this.#place === places.after)
      throw new Error(`line ${this.#line}: something follows the end of the array`);
    if (character === ']') {
      this.#place = places.after;
      return false;
    }
    if (character === ',') return false;
    this.#place = places.inside;
    this.#startLine = this.#line;
    this.#depth = 0;
    this.#inString = false;
    this.#isEscaped = false;
    this.#isEnd(character);
    return true;
  }

  /** Inside an element: true at the comma or bracket behind it. */
  #isEnd(character: string): boolean {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (character === '\\') this.#isEscaped = true;
      else if (character === '"') this.#inString = false;
      return false;
    }
    if (character === '"') this.#inString = true;
    else if (character === '{' || character === '[') this.#depth += 1;
    else if (this.#depth === 0) return character === ',' || character === ']';
    else if (character === '}' || character === ']') this.#depth -= 1;
    return false;
  }

  #record(source: string): SourceRecord {
    this.#number += 1;
    return parsedRecord(source, { number: this.#number, line: this.#startLine });
  }
}
