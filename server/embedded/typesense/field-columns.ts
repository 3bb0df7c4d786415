/**
 * Field values in memory, by a document's sequence number: numbers for filters and sorting, value numbers of a
 * dictionary for facets. What always holds: a column says of each living document what its stored text says, because
 * every write sets or clears the columns of its document.
 */

export type NumberColumn = {
  /** NaN where the document has no value. For an array field: NaN, and the values are in `lists`. */
  values: Float64Array;
  readonly lists: (Float64Array | undefined)[] | undefined;
};

export type FacetColumn = {
  /** The value's number, or -1. For an array field: -1, and the values' numbers are in `lists`. */
  values: Int32Array;
  readonly lists: (Uint32Array | undefined)[] | undefined;
  readonly dictionary: FacetDictionary;
};

export type FacetValue = string | number | boolean;

/** Distinct values of a field, numbered in order of first sight. */
export class FacetDictionary {
  readonly values: FacetValue[] = [];
  readonly #numbers = new Map<FacetValue, number>();
  #ranks: Float64Array | undefined;

  numberOf(value: FacetValue): number {
    let number = this.#numbers.get(value);
    if (number === undefined) {
      number = this.values.length;
      this.values.push(value);
      this.#numbers.set(value, number);
      this.#ranks = undefined;
    }
    return number;
  }

  find(value: FacetValue): number | undefined {
    return this.#numbers.get(value);
  }

  /** Each value's place in alphabetical order, upper and lower case alike: what sorting by a string compares. */
  ranks(): Float64Array {
    if (this.#ranks !== undefined) return this.#ranks;
    const keys = this.values.map(value => String(value).toLowerCase());
    const order = keys.map((_, number) => number);
    order.sort((a, b) => {
      const left = keys[a] ?? '';
      const right = keys[b] ?? '';
      return left < right ? -1 : left > right ? 1 : 0;
    });
    const ranks = new Float64Array(order.length);
    let rank = 0;
    order.forEach((number, place) => {
      if (place > 0 && keys[number] !== keys[order[place - 1] ?? 0]) rank++;
      ranks[number] = rank;
    });
    this.#ranks = ranks;
    return ranks;
  }
}

export const newNumberColumn = (isArray: boolean): NumberColumn => ({
  values: new Float64Array(0),
  lists: isArray ? [] : undefined,
});

export const newFacetColumn = (isArray: boolean): FacetColumn => ({
  values: new Int32Array(0),
  lists: isArray ? [] : undefined,
  dictionary: new FacetDictionary(),
});

export function setNumber(column: NumberColumn, sequence: number, value: unknown): void {
  if (sequence >= column.values.length) {
    const grown = new Float64Array(grownLength(sequence)).fill(Number.NaN);
    grown.set(column.values);
    column.values = grown;
  }
  if (column.lists === undefined) column.values[sequence] = numberOf(value);
  else column.lists[sequence] = Array.isArray(value) ? Float64Array.from(value, numberOf) : undefined;
}

export function setFacet(column: FacetColumn, sequence: number, value: unknown): void {
  if (sequence >= column.values.length) {
    const grown = new Int32Array(grownLength(sequence)).fill(-1);
    grown.set(column.values);
    column.values = grown;
  }
  if (column.lists === undefined) {
    column.values[sequence] = isFacetValue(value) ? column.dictionary.numberOf(value) : -1;
    return;
  }
  // A value named twice in one document counts once: a facet counts documents.
  const elements = Array.isArray(value) ? new Set(value.filter(isFacetValue)) : undefined;
  column.lists[sequence] =
    elements === undefined || elements.size === 0
      ? undefined
      : Uint32Array.from(elements, element => column.dictionary.numberOf(element));
}

function numberOf(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'boolean' ? Number(value) : Number.NaN;
}

const isFacetValue = (value: unknown): value is FacetValue =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const grownLength = (sequence: number): number => Math.max(1024, 2 ** Math.ceil(Math.log2(sequence + 1)));
