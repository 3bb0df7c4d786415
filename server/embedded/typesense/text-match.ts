/**
 * Finds the documents that hold the words of a query, each word anywhere in the queried fields and in any order, and
 * scores them.
 *
 * It widens in stages, and only while too few documents were found: the words as typed (and, for the last, what it
 * may be the beginning of); words with one typo; with two; the query with words dropped. What always holds: a match
 * of more words ranks above one of fewer, then fewer typos above more, then a field that is exactly the query, then
 * the heavier fields, then the number of fields.
 */
import type { DocumentIndex } from './document-index.ts';
import { limits } from './limits.ts';
import type { SimilarWord } from './vocabulary.ts';

export type QueriedField = {
  readonly name: string;
  readonly column: number;
  readonly weight: number;
  readonly typosMax: number;
  readonly isPrefix: boolean;
};

export type TextQuery = {
  readonly tokens: readonly string[];
  readonly fields: readonly QueriedField[];
  /** Documents that may be found at all. */
  readonly mask: Uint8Array;
  readonly typoThreshold: number;
  readonly dropThreshold: number;
  readonly dropMode: string;
  readonly candidatesMax: number;
  readonly lengthForOneTypo: number;
  readonly lengthForTwoTypos: number;
  readonly typosInNumbers: boolean;
  readonly typosInAlphanumerics: boolean;
  readonly isExhaustive: boolean;
  readonly isExactFirst: boolean;
  readonly isFieldCountUsed: boolean;
};

/** A word that stood for a word of the query: what the highlighter marks. */
export type MatchedWord = { readonly word: string; readonly cost: number; readonly isPrefixQuery: boolean };

export type TextMatch = {
  readonly sequences: Uint32Array;
  /** By sequence number; 0 for what was not found. */
  readonly scores: Uint32Array;
  /** For each word of the query. */
  readonly matchedWords: readonly (readonly MatchedWord[])[];
};

const costMax = 7;

/** One word of the query, and how well each document holds it. */
class WordMatch {
  readonly token: string;
  readonly isLast: boolean;
  readonly matched: MatchedWord[] = [];
  /** By sequence number: fewer typos first, then the weight of the field; 0 where the word is missing. */
  readonly quality: Uint16Array;
  #similar: SimilarWord[] | undefined;

  constructor(token: string, options: { isLast: boolean; documentCount: number }) {
    this.token = token;
    this.isLast = options.isLast;
    this.quality = new Uint16Array(options.documentCount);
  }

  similar(index: DocumentIndex, { typosMax, prefix }: { typosMax: number; prefix: boolean }): SimilarWord[] {
    this.#similar ??= index.vocabulary.similar(this.token, { typosMax, prefix });
    return this.#similar;
  }

  documentCount(): number {
    let count = 0;
    for (const quality of this.quality) if (quality > 0) count++;
    return count;
  }
}

export function matchText(index: DocumentIndex, query: TextQuery): TextMatch {
  const documentCount = query.mask.length;
  const fieldsMatched = new Uint32Array(documentCount);
  const words = query.tokens.map(
    (token, place) => new WordMatch(token, { isLast: place === query.tokens.length - 1, documentCount }),
  );
  const typosMax = Math.max(0, ...query.fields.map(field => field.typosMax));
  const anyPrefix = query.fields.some(field => field.isPrefix);

  const mark = (word: WordMatch, matched: MatchedWord, typos: number): void => {
    word.matched.push(matched);
    query.fields.forEach((field, place) => {
      const isPrefix = matched.isPrefixQuery || (matched.cost & 1) === 1;
      if (typos > field.typosMax || (isPrefix && !field.isPrefix)) return;
      const sequences = matched.isPrefixQuery
        ? index.postings.prefix(field.column, matched.word)
        : index.postings.word(field.column, matched.word);
      const quality = ((costMax - matched.cost) << 8) | field.weight;
      const bit = 1 << place;
      for (const sequence of sequences) {
        if ((word.quality[sequence] ?? 0) < quality) word.quality[sequence] = quality;
        fieldsMatched[sequence] = (fieldsMatched[sequence] ?? 0) | bit;
      }
    });
  };

  for (const word of words) {
    mark(word, { word: word.token, cost: 0, isPrefixQuery: false }, 0);
    if (word.isLast && anyPrefix) mark(word, { word: word.token, cost: 1, isPrefixQuery: true }, 0);
  }
  for (let typos = 1; typos <= Math.min(2, typosMax); typos++) {
    if (!query.isExhaustive && countMatches(words, query.mask) >= query.typoThreshold) break;
    for (const word of words) {
      if (typosAllowed(word.token, query) < typos) continue;
      const allowed = Math.min(typosMax, typosAllowed(word.token, query));
      word
        .similar(index, { typosMax: allowed, prefix: word.isLast && anyPrefix })
        .filter(similar => similar.typos === typos)
        .slice(0, query.isExhaustive ? limits.candidatesMaxCount : query.candidatesMax)
        .forEach(({ word: similar, isPrefix }) =>
          mark(word, { word: similar, cost: typos * 2 + Number(isPrefix), isPrefixQuery: false }, typos),
        );
    }
  }

  const found = new Uint8Array(documentCount);
  let foundCount = markMatches(words, query.mask, found);
  if (foundCount < query.dropThreshold) {
    for (const kept of droppedQueries(words, query.dropMode)) {
      foundCount += markMatches(kept, query.mask, found);
      if (foundCount >= query.dropThreshold) break;
    }
  }
  const exact = query.isExactFirst && foundCount > 0 ? exactMatches(index, query) : undefined;
  return scored({ words, query, found, foundCount, fieldsMatched, exact });
}

function typosAllowed(token: string, query: TextQuery): number {
  const hasDigit = /\p{N}/u.test(token);
  const hasLetter = /\p{L}/u.test(token);
  if (hasDigit && !hasLetter && !query.typosInNumbers) return 0;
  if (hasDigit && hasLetter && !query.typosInAlphanumerics) return 0;
  if (token.length >= query.lengthForTwoTypos) return 2;
  return token.length >= query.lengthForOneTypo ? 1 : 0;
}

function countMatches(words: readonly WordMatch[], mask: Uint8Array): number {
  return markMatches(words, mask, new Uint8Array(mask.length));
}

/** Marks the documents that hold every one of the words; returns how many of them were not marked before. */
function markMatches(words: readonly WordMatch[], mask: Uint8Array, found: Uint8Array): number {
  const matches = mask.slice();
  for (const { quality } of words) {
    for (let sequence = 0; sequence < matches.length; sequence++) {
      if (quality[sequence] === 0) matches[sequence] = 0;
    }
  }
  let count = 0;
  for (let sequence = 0; sequence < matches.length; sequence++) {
    if (matches[sequence] === 1 && found[sequence] === 0) {
      found[sequence] = 1;
      count++;
    }
  }
  return count;
}

/** Shorter and shorter queries, never an empty one. A word that nothing holds goes first, whatever the mode. */
function* droppedQueries(words: readonly WordMatch[], mode: string): Generator<WordMatch[]> {
  let kept = words.filter(word => word.documentCount() > 0);
  if (kept.length === 0) return;
  if (kept.length < words.length) yield kept;
  const [direction, bothSidesMax] = mode.split(':');
  const both = direction === 'both_sides' && words.length <= Number(bothSidesMax);
  const all = kept;
  if (both || direction !== 'left_to_right') {
    for (; kept.length > 1; ) {
      kept = kept.slice(0, -1);
      yield kept;
    }
  }
  kept = all;
  if (both || direction === 'left_to_right') {
    for (; kept.length > 1; ) {
      kept = kept.slice(1);
      yield kept;
    }
  }
}

function exactMatches(index: DocumentIndex, query: TextQuery): Uint8Array {
  const exact = new Uint8Array(query.mask.length);
  for (const field of query.fields) {
    for (const sequence of index.postings.wholeValue(field.column, query.tokens)) exact[sequence] = 1;
  }
  return exact;
}

function scored(options: {
  words: readonly WordMatch[];
  query: TextQuery;
  found: Uint8Array;
  foundCount: number;
  fieldsMatched: Uint32Array;
  exact: Uint8Array | undefined;
}): TextMatch {
  const { words, query, found, foundCount, fieldsMatched, exact } = options;
  const sequences = new Uint32Array(foundCount);
  const scores = new Uint32Array(found.length);
  const weightMax = Math.max(1, ...query.fields.map(field => field.weight));
  let place = 0;
  for (let sequence = 0; sequence < found.length; sequence++) {
    if (found[sequence] === 0) continue;
    sequences[place++] = sequence;
    let wordCount = 0;
    let cost = 0;
    let weight = 0;
    for (const word of words) {
      const quality = word.quality[sequence] ?? 0;
      if (quality === 0) continue;
      wordCount++;
      cost += costMax - (quality >>> 8);
      weight += quality & 255;
    }
    scores[sequence] = packScore({
      wordCount,
      cost,
      isExact: exact?.[sequence] === 1,
      weight: wordCount === 0 ? 0 : Math.round((255 * weight) / (wordCount * weightMax)),
      fieldCount: query.isFieldCountUsed ? bitCount(fieldsMatched[sequence] ?? 0) : 0,
    });
  }
  return { sequences, scores, matchedWords: words.map(word => word.matched) };
}

type ScoreParts = { wordCount: number; cost: number; isExact: boolean; weight: number; fieldCount: number };

/** One number that orders as the file's head says: 4 bits, 6, 1, 8 and 4. */
const packScore = (parts: ScoreParts): number =>
  (Math.min(15, parts.wordCount) << 19) |
  ((63 - Math.min(63, parts.cost)) << 13) |
  (Number(parts.isExact) << 12) |
  (parts.weight << 4) |
  Math.min(15, parts.fieldCount);

export const unpackScore = (score: number): ScoreParts => ({
  wordCount: score >>> 19,
  cost: 63 - ((score >>> 13) & 63),
  isExact: ((score >>> 12) & 1) === 1,
  weight: (score >>> 4) & 255,
  fieldCount: score & 15,
});

function bitCount(value: number): number {
  let bits = 0;
  for (let rest = value; rest !== 0; rest &= rest - 1) bits++;
  return bits;
}
