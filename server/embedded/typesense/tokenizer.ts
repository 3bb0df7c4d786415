/**
 * Cuts text into the words that are indexed and searched, by Typesense's rules: white space and the collection's
 * `token_separators` divide words; every other symbol is dropped and its neighbours join ("Wi-Fi" is `wifi`), unless
 * it is one of `symbols_to_index`. Words are lower case and without accents.
 *
 * What always holds: a token consists of letters, digits and private-use characters only, so it may be put between
 * double quotes in an FTS5 query as it is, and FTS5's `ascii` tokenizer keeps it whole.
 */
import { limits } from './limits.ts';

export type TokenSpan = { readonly token: string; readonly start: number; readonly end: number };

/** Indexed symbols are stored as private-use characters, because FTS5 would take `+` for a separator. */
const symbolBase = 0xe000;

/** Around each indexed value: they make "the whole value" a phrase, and keep phrases from crossing array elements. */
export const valueStart = '\ue0fe';
export const valueEnd = '\ue0ff';

const drop = 0;
const keep = 1;
const separate = 2;
const symbol = 3;

const otherSpace = /\s/u;
const marks = /\p{M}+/gu;
const wordCharacter = /[\p{L}\p{N}]/u;
const ascii = /^[\u0020-\u007e]*$/;

export class Tokenizer {
  readonly #classes = new Uint8Array(128);

  constructor(rules: { separators: readonly string[]; symbols: readonly string[] }) {
    for (let code = 0; code < 128; code++) {
      const character = String.fromCharCode(code);
      if (/[0-9A-Za-z]/.test(character)) this.#classes[code] = keep;
      else if (code <= 32) this.#classes[code] = separate;
    }
    for (const character of rules.symbols) this.#classes[character.charCodeAt(0)] = symbol;
    for (const character of rules.separators) this.#classes[character.charCodeAt(0)] = separate;
  }

  tokens(text: string): string[] {
    return this.spans(text).map(span => span.token);
  }

  /** Words with the range of the text that they stand for, without the symbols at either end. */
  spans(text: string): TokenSpan[] {
    const spans: TokenSpan[] = [];
    let start = -1;
    let end = 0;
    let isPlain = true;
    for (let index = 0; index <= text.length; index++) {
      const kind = index === text.length ? separate : this.#classOf(text, index);
      if (kind === separate) {
        if (start >= 0) {
          const token = isPlain ? text.slice(start, end).toLowerCase() : this.#fold(text.slice(start, end));
          if (token !== '') spans.push({ token: token.slice(0, limits.tokenCharsMax), start, end });
        }
        start = -1;
        isPlain = true;
      } else if (kind === drop) {
        // Only a symbol between two kept characters makes the word need rewriting; see the next branch.
      } else {
        if (start < 0) start = index;
        else if (end !== index) isPlain = false;
        if (kind === symbol || text.charCodeAt(index) >= 128) isPlain = false;
        end = index + 1;
      }
    }
    return spans;
  }

  #classOf(text: string, index: number): number {
    const code = text.charCodeAt(index);
    if (code < 128) return this.#classes[code] ?? drop;
    return otherSpace.test(text.charAt(index)) ? separate : keep;
  }

  #fold(chunk: string): string {
    const text = ascii.test(chunk) ? chunk : chunk.normalize('NFKD').replace(marks, '');
    let token = '';
    for (const character of text.toLowerCase()) {
      const code = character.codePointAt(0) ?? 0;
      if (code < 128) {
        const kind = this.#classes[code];
        if (kind === keep) token += character;
        else if (kind === symbol) token += String.fromCharCode(symbolBase + code);
      } else if (wordCharacter.test(character)) token += character;
    }
    return token;
  }
}
