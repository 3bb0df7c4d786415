/**
 * Marks the words of a query in a document's text, and cuts a snippet around them. Works on the text as it is stored,
 * because FTS5 keeps none in a contentless table. The text itself is not escaped, as in Typesense: whoever shows it
 * as HTML escapes it around the tags.
 */
import type { MatchedWord } from './text-match.ts';
import type { Tokenizer, TokenSpan } from './tokenizer.ts';

export type HighlightOptions = {
  readonly startTag: string;
  readonly endTag: string;
  /** Words on each side of a match in a snippet. */
  readonly affixTokens: number;
  /** Texts of at most so many words are shown whole. */
  readonly snippetThreshold: number;
};

export type HighlightedText = {
  readonly matchedTokens: string[];
  readonly snippet: string;
  readonly value: string;
};

type Mark = { readonly place: number; readonly start: number; readonly end: number };

/** Undefined where the text holds none of the words. */
export function highlight(
  text: string,
  {
    tokenizer,
    words,
    options,
  }: {
    tokenizer: Tokenizer;
    words: readonly (readonly MatchedWord[])[];
    options: HighlightOptions;
  },
): HighlightedText | undefined {
  const spans = tokenizer.spans(text);
  const marks = marksOf(spans, words);
  const first = marks[0];
  if (first === undefined) return undefined;
  const matchedTokens = [...new Set(marks.map(mark => text.slice(mark.start, mark.end)))];
  const value = marked(text, { marks, options, from: 0, to: text.length });
  if (spans.length <= options.snippetThreshold) return { matchedTokens, snippet: value, value };
  const lastPlace = marks
    .filter(mark => mark.place <= first.place + 2 * options.affixTokens)
    .reduce((last, mark) => Math.max(last, mark.place), first.place);
  const from = spans[Math.max(0, first.place - options.affixTokens)]?.start ?? 0;
  const to = spans[Math.min(spans.length - 1, lastPlace + options.affixTokens)]?.end ?? text.length;
  return { matchedTokens, snippet: marked(text, { marks, options, from, to }), value };
}

function marksOf(spans: readonly TokenSpan[], words: readonly (readonly MatchedWord[])[]): Mark[] {
  const marks = new Map<number, Mark>();
  for (const candidates of words) {
    const matches = spans.flatMap((span, place) => {
      const best = bestCandidate(span.token, candidates);
      return best === undefined ? [] : [{ span, place, best }];
    });
    // "galaxy" is not also a match for "galax" with a typo where the word itself stands in the text.
    const least = Math.min(...matches.map(match => match.best.cost));
    for (const { span, place, best } of matches) {
      if (best.cost > least || marks.has(place)) continue;
      const length = span.end - span.start;
      // Where symbols were dropped from the word, its letters cannot be counted off, so it is marked whole.
      const isCounted = best.isPrefixQuery && length === span.token.length;
      marks.set(place, {
        place,
        start: span.start,
        end: span.start + (isCounted ? best.word.length : length),
      });
    }
  }
  return [...marks.values()].toSorted((a, b) => a.place - b.place);
}

function bestCandidate(token: string, candidates: readonly MatchedWord[]): MatchedWord | undefined {
  let best: MatchedWord | undefined;
  for (const candidate of candidates) {
    const isMatch = candidate.isPrefixQuery ? token.startsWith(candidate.word) : token === candidate.word;
    if (isMatch && (best === undefined || candidate.cost < best.cost)) best = candidate;
  }
  return best;
}

function marked(
  text: string,
  {
    marks,
    options,
    from,
    to,
  }: { marks: readonly Mark[]; options: HighlightOptions; from: number; to: number },
): string {
  let result = '';
  let position = from;
  for (const mark of marks) {
    if (mark.start < from || mark.end > to) continue;
    result += text.slice(position, mark.start);
    result += options.startTag + text.slice(mark.start, mark.end) + options.endTag;
    position = mark.end;
  }
  return result + text.slice(position, to);
}
