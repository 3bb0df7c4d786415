/**
 * Reads what a person typed: plain words, `"phrases in quotes"` that must occur as they are, and `-words` (or
 * `-"phrases"`) that must not occur. Whatever else it holds is text.
 */
import type { Tokenizer } from './tokenizer.ts';

export type QueryText = {
  readonly words: readonly string[];
  readonly phrases: readonly (readonly string[])[];
  readonly excluded: readonly (readonly string[])[];
};

export function parseQueryText(text: string, tokenizer: Tokenizer): QueryText {
  const phrases: string[][] = [];
  const excluded: string[][] = [];
  const rest = text
    .replaceAll(/(^|\s)(-?)"([^"]+)"/g, (_, space: string, minus: string, phrase: string) => {
      const tokens = tokenizer.tokens(phrase);
      if (tokens.length > 0) (minus === '' ? phrases : excluded).push(tokens);
      return `${space} `;
    })
    .replaceAll(/(^|\s)-(\S+)/g, (whole: string, space: string, word: string) => {
      const tokens = tokenizer.tokens(word);
      // A lone dash between words, as in "Apple - iPhone", excludes nothing.
      if (tokens.length === 0) return whole;
      excluded.push(tokens);
      return `${space} `;
    });
  return { words: tokenizer.tokens(rest), phrases, excluded };
}
