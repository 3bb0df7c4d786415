/**
 * The words of a collection with the number of documents that hold each, kept in step with every write: reading them
 * anew from FTS5 takes over half a second at 100,000 documents. It answers which words a mistyped one may mean.
 */
import { editDistance } from './edit-distance.ts';

export type SimilarWord = {
  readonly word: string;
  readonly typos: number;
  /** The query is (nearly) the beginning of the word, not the whole of it. */
  readonly isPrefix: boolean;
  readonly documentCount: number;
};

export class Vocabulary {
  readonly #positions = new Map<string, number>();
  readonly #free: number[] = [];
  #words: (string | undefined)[] = [];
  #letters = new Uint32Array(1024);
  #counts = new Uint32Array(1024);

  get size(): number {
    return this.#positions.size;
  }

  documentCount(word: string): number {
    const position = this.#positions.get(word);
    return position === undefined ? 0 : (this.#counts[position] ?? 0);
  }

  add(word: string, documentCount = 1): void {
    let position = this.#positions.get(word);
    if (position === undefined) {
      position = this.#free.pop() ?? this.#words.length;
      this.#reserve(position + 1);
      this.#positions.set(word, position);
      this.#words[position] = word;
      this.#letters[position] = lettersOf(word);
      this.#counts[position] = 0;
    }
    this.#counts[position] = (this.#counts[position] ?? 0) + documentCount;
  }

  remove(word: string): void {
    const position = this.#positions.get(word);
    if (position === undefined) return;
    const count = (this.#counts[position] ?? 0) - 1;
    this.#counts[position] = count;
    if (count > 0) return;
    this.#positions.delete(word);
    this.#words[position] = undefined;
    this.#free.push(position);
  }

  clear(): void {
    this.#positions.clear();
    this.#free.length = 0;
    this.#words = [];
  }

  /**
   * Words within 1 to `typosMax` typos of the query, or that begin so where `prefix` is set; nearest first, then the
   * most frequent.
   */
  similar(query: string, options: { typosMax: number; prefix: boolean }): SimilarWord[] {
    const { typosMax, prefix } = options;
    const letters = lettersOf(query);
    const found: SimilarWord[] = [];
    for (let position = 0; position < this.#words.length; position++) {
      const word = this.#words[position];
      if (word === undefined) continue;
      const difference = word.length - query.length;
      if (difference < -typosMax || (!prefix && difference > typosMax)) continue;
      // One typo adds or removes at most one kind of letter, so most words are ruled out by two bit counts.
      const own = this.#letters[position] ?? 0;
      if (bitCount(letters & ~own) > typosMax || (!prefix && bitCount(own & ~letters) > typosMax)) continue;
      const distance = editDistance(query, word, typosMax);
      const isWhole = distance.whole <= typosMax && (!prefix || distance.whole <= distance.prefix);
      const typos = isWhole ? distance.whole : prefix ? distance.prefix : typosMax + 1;
      if (typos === 0 || typos > typosMax) continue;
      found.push({ word, typos, isPrefix: !isWhole, documentCount: this.#counts[position] ?? 0 });
    }
    return found.toSorted(
      (a, b) =>
        a.typos - b.typos ||
        Number(a.isPrefix) - Number(b.isPrefix) ||
        b.documentCount - a.documentCount ||
        (a.word < b.word ? -1 : 1),
    );
  }

  #reserve(count: number): void {
    if (count <= this.#counts.length) return;
    const letters = new Uint32Array(this.#counts.length * 2);
    letters.set(this.#letters);
    this.#letters = letters;
    const counts = new Uint32Array(this.#counts.length * 2);
    counts.set(this.#counts);
    this.#counts = counts;
  }
}

function lettersOf(word: string): number {
  let letters = 0;
  for (let index = 0; index < word.length; index++) letters |= 1 << (word.charCodeAt(index) & 31);
  return letters >>> 0;
}

function bitCount(value: number): number {
  let bits = value - ((value >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24;
}
