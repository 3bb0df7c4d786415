/**
 * Reads Typesense's filter language into a tree: `brand:=[Apple, Sony] && (price:<100 || stock:>0)`.
 * What cannot be read is refused with 400; nothing is skipped or guessed. Field names and the kinds of their values
 * are the evaluator's business.
 */
import { ApiError } from './api-error.ts';
import { limits } from './limits.ts';

export type FilterOperator = '' | '=' | '!=' | '>' | '>=' | '<' | '<=';
export type FilterValue = { readonly text: string; readonly isQuoted: boolean };

export type Filter =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | {
      readonly kind: 'field';
      readonly field: string;
      readonly operator: FilterOperator;
      readonly values: readonly FilterValue[];
    };

const unparsable = (): ApiError => new ApiError(400, 'Could not parse the filter query.');

export function parseFilter(text: string): Filter | undefined {
  if (text.length > limits.filterCharsMax) {
    throw new ApiError(400, `Query string exceeds max allowed length of ${limits.filterCharsMax}.`);
  }
  if (text.trim() === '') return undefined;
  const parser = new Parser(text);
  const filter = parser.either(0);
  parser.requireEnd();
  return filter;
}

class Parser {
  readonly #text: string;
  #position = 0;

  constructor(text: string) {
    this.#text = text;
  }

  either(depth: number): Filter {
    return this.#joined(depth, { kind: 'or', sign: '||', part: () => this.#both(depth) });
  }

  requireEnd(): void {
    this.#skipSpace();
    if (this.#position < this.#text.length) throw unparsable();
  }

  #both(depth: number): Filter {
    return this.#joined(depth, { kind: 'and', sign: '&&', part: () => this.#single(depth) });
  }

  #joined(depth: number, rule: { kind: 'and' | 'or'; sign: string; part: () => Filter }): Filter {
    if (depth > limits.filterDepthMax) throw unparsable();
    const first = rule.part();
    const parts = [first];
    while (this.#take(rule.sign)) parts.push(rule.part());
    return parts.length === 1 ? first : { kind: rule.kind, parts };
  }

  #single(depth: number): Filter {
    if (this.#take('(')) {
      const inner = this.either(depth + 1);
      if (!this.#take(')')) throw unparsable();
      return inner;
    }
    return this.#comparison();
  }

  #comparison(): Filter {
    this.#skipSpace();
    const name = /^[^\s:()[\]{}&|`,]+/.exec(this.#text.slice(this.#position))?.[0];
    if (name === undefined) throw unparsable();
    this.#position += name.length;
    if (!this.#take(':')) throw unparsable();
    const operator = (['!=', '>=', '<=', '=', '>', '<'] as const).find(sign => this.#take(sign)) ?? '';
    if (this.#take('[')) return { kind: 'field', field: name, operator, values: this.#list() };
    const value = this.#value(false);
    if (value.text === '' && !value.isQuoted) {
      throw new ApiError(400, `Error with filter field \`${name}\`: Filter value cannot be empty.`);
    }
    return { kind: 'field', field: name, operator, values: [value] };
  }

  #list(): FilterValue[] {
    const values: FilterValue[] = [];
    if (this.#take(']')) return values;
    for (;;) {
      const value = this.#value(true);
      if (value.text === '' && !value.isQuoted) throw unparsable();
      values.push(value);
      if (this.#take(']')) return values;
      if (!this.#take(',')) throw unparsable();
    }
  }

  /** A value in backticks may hold anything but a backtick; a bare one ends where the language goes on. */
  #value(isInList: boolean): FilterValue {
    this.#skipSpace();
    if (this.#text[this.#position] === '`') {
      const end = this.#text.indexOf('`', this.#position + 1);
      if (end < 0) throw unparsable();
      const text = this.#text.slice(this.#position + 1, end);
      this.#position = end + 1;
      // A prefix search may be asked for behind the closing backtick.
      if (this.#text[this.#position] === '*') {
        this.#position++;
        return { text: `${text}*`, isQuoted: false };
      }
      return { text, isQuoted: true };
    }
    const start = this.#position;
    while (this.#position < this.#text.length && !this.#endsBareValue(isInList)) this.#position++;
    return { text: this.#text.slice(start, this.#position).trim(), isQuoted: false };
  }

  #endsBareValue(isInList: boolean): boolean {
    const character = this.#text[this.#position];
    if (isInList) return character === ',' || character === ']';
    if (character === ')' || character === '(' || character === '`') return true;
    return this.#text.startsWith('&&', this.#position) || this.#text.startsWith('||', this.#position);
  }

  #take(sign: string): boolean {
    this.#skipSpace();
    if (!this.#text.startsWith(sign, this.#position)) return false;
    this.#position += sign.length;
    return true;
  }

  #skipSpace(): void {
    while (/\s/.test(this.#text[this.#position] ?? '')) this.#position++;
  }
}
