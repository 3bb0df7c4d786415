/**
 * One hit of an answer: the document with the fields that were asked for, its marked texts in both of Typesense's
 * forms, and how it matched.
 */
import type { Document } from './document-validation.ts';
import { highlight, type HighlightedText, type HighlightOptions } from './highlighter.ts';
import type { SearchParameters } from './search-parameters.ts';
import { unpackScore, type MatchedWord } from './text-match.ts';
import type { Tokenizer } from './tokenizer.ts';

export type SearchHit = {
  readonly curated?: true;
  readonly document: Document;
  readonly highlight: Record<string, unknown>;
  readonly highlights?: readonly Record<string, unknown>[];
  readonly text_match?: number;
  readonly text_match_info?: Record<string, unknown>;
};

type HitInput = {
  readonly document: Document;
  readonly score: number;
  readonly isWildcard: boolean;
  readonly isPinned: boolean;
  readonly queryTokenCount: number;
  readonly matchedWords: readonly (readonly MatchedWord[])[];
  readonly highlightedFields: readonly string[];
  readonly tokenizer: Tokenizer;
  readonly options: HighlightOptions;
  readonly parameters: SearchParameters;
};

/** What Typesense answers where there was no text to match. */
const wildcardScore = 100;

export function buildHit(input: HitInput): SearchHit {
  const { parameters, isPinned, isWildcard, score } = input;
  const marked = markedFields(input);
  const document = selectFields(input.document, parameters.include_fields, parameters.exclude_fields);
  const hit: SearchHit = {
    ...(isPinned ? { curated: true } : {}),
    document,
    highlight: Object.fromEntries(marked.map(field => [field.name, field.structured])),
    ...(parameters.enable_highlight_v1 ? { highlights: marked.map(field => field.flat) } : {}),
  };
  if (isPinned) return hit;
  if (isWildcard) return { ...hit, text_match: wildcardScore };
  return { ...hit, text_match: score, text_match_info: matchInfo(score, input.queryTokenCount) };
}

/** Excluding wins over including; a name with `*` at its end stands for all that begin so. */
export function selectFields(
  document: Document,
  included: readonly string[],
  excluded: readonly string[],
): Document {
  if (included.length === 0 && excluded.length === 0) return document;
  return Object.fromEntries(
    Object.entries(document).filter(
      ([field]) => (included.length === 0 || covers(included, field)) && !covers(excluded, field),
    ),
  );
}

function matchInfo(score: number, queryTokenCount: number): Record<string, unknown> {
  const { wordCount, cost, weight, fieldCount } = unpackScore(score);
  return {
    best_field_score: String(score),
    best_field_weight: weight,
    fields_matched: fieldCount,
    num_tokens_dropped: queryTokenCount - wordCount,
    score: String(score),
    tokens_matched: wordCount,
    typo_prefix_score: cost,
  };
}

type MarkedField = {
  readonly name: string;
  readonly flat: Record<string, unknown>;
  readonly structured: unknown;
};

function markedFields(input: HitInput): MarkedField[] {
  const { document, matchedWords, tokenizer, options, parameters } = input;
  if (matchedWords.length === 0) return [];
  const mark = (text: string): HighlightedText | undefined =>
    highlight(text, { tokenizer, words: matchedWords, options });
  return [...new Set([...input.highlightedFields, ...parameters.highlight_full_fields])].flatMap(name => {
    const isFull = parameters.highlight_full_fields.includes(name);
    const value = document[name];
    if (typeof value === 'string') {
      const text = mark(value);
      return text === undefined ? [] : [markedText(name, text, isFull)];
    }
    if (!Array.isArray(value)) return [];
    const elements = value.map(element => (typeof element === 'string' ? mark(element) : undefined));
    return elements.some(element => element !== undefined)
      ? [markedList(name, { value, elements, isFull })]
      : [];
  });
}

function markedText(name: string, text: HighlightedText, isFull: boolean): MarkedField {
  const { matchedTokens: matched_tokens, snippet, value } = text;
  const full = isFull ? { value } : {};
  return {
    name,
    flat: { field: name, matched_tokens, snippet, ...full },
    structured: { matched_tokens, snippet, ...full },
  };
}

function markedList(
  name: string,
  {
    value,
    elements,
    isFull,
  }: { value: unknown[]; elements: (HighlightedText | undefined)[]; isFull: boolean },
): MarkedField {
  const present = elements.flatMap((text, place) => (text === undefined ? [] : [{ text, place }]));
  return {
    name,
    flat: {
      field: name,
      indices: present.map(({ place }) => place),
      matched_tokens: present.map(({ text }) => text.matchedTokens),
      snippets: present.map(({ text }) => text.snippet),
      ...(isFull ? { values: present.map(({ text }) => text.value) } : {}),
    },
    structured: elements.map((text, place) => ({
      matched_tokens: text?.matchedTokens ?? [],
      snippet: text?.snippet ?? String(value[place]),
      ...(isFull ? { value: text?.value ?? String(value[place]) } : {}),
    })),
  };
}

const covers = (names: readonly string[], field: string): boolean =>
  names.some(name => name === field || (name.endsWith('*') && field.startsWith(name.slice(0, -1))));
