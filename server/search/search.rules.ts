// Pure rules of search: typed questions into Typesense's parameters, and its answers into ours. Filters are built from
// typed values alone, each between backticks, in which Typesense's filter language knows no escape: so a value with a
// backtick is refused at the border, and nothing that a buyer writes is ever read as a filter.
import { wordSequenceOf } from '../catalog/catalog.rules.ts';
import type { ProductId } from '../ids.ts';
import type { Money } from '../money.ts';
import { priceBandEndOf } from './price-bands.rules.ts';

export const sortOrders = ['relevance', 'price-asc', 'price-desc', 'popularity', 'newest'] as const;
export type SortOrder = (typeof sortOrders)[number];

export interface SearchFilters {
  readonly brands: readonly string[];
  readonly categories: readonly string[];
  /** In minor units, both included. */
  readonly priceMin: number | undefined;
  readonly priceMax: number | undefined;
  readonly inStock: boolean | undefined;
  /** Ids of drops that sell the product. */
  readonly drops: readonly string[];
}

export interface SearchQuestion {
  /** Empty: everything. */
  readonly text: string;
  readonly filters: SearchFilters;
  readonly sort: SortOrder;
  /** From 1. */
  readonly page: number;
  readonly perPage: number;
}

export interface FacetValue {
  value: string;
  count: number;
}

export interface SearchFacets {
  brand: FacetValue[];
  category: FacetValue[];
  price: {
    /** `from` and `to` both belong to the range, in minor units; the last has no `to`. */
    ranges: { from: number; to?: number | undefined; count: number }[];
    /** Null where nothing was found. */
    stats: { min: number; max: number; currency: string } | null;
  };
  availability: { value: 'in-stock' | 'out-of-stock'; count: number }[];
  /** By the drops' ids: those that are planned or run. */
  drop: FacetValue[];
}

export interface SearchHit {
  id: string;
  /** Of its page. */
  slug?: string | undefined;
  title: string;
  brand?: string | undefined;
  categories: string[];
  /** The least of its variants'. */
  price: Money;
  image?: string | undefined;
  popularity: number;
  inStock: boolean;
  /** HTML: text escaped, what matched in `<mark>`. */
  highlights: { title?: string | undefined; brand?: string | undefined; description?: string | undefined };
}

/** Which filter a facet belongs to: counts of a facet leave its own filter out, or only the chosen could be seen. */
type FacetName = 'brand' | 'category' | 'price' | 'availability' | 'drop';
const facetFields: Record<FacetName, string> = {
  brand: 'brand',
  category: 'categories',
  price: 'priceBand,price,currency',
  availability: 'inStock',
  drop: 'drops',
};

/** Most telling first. A name says more than the pages of text under it. */
const queryBy = 'title,brand,categories,alsoFoundBy,skus,barcodes,description';
const queryByWeights = '8,6,4,4,4,4,1';
/** A barcode is read by a machine: one that is nearly another's is another product. */
const numTypos = '2,2,2,1,2,0,2';

/** Fields that a product is found, counted or sorted by, and that no hit shows. A marked description is no part of it. */
export const unshownFields = [
  'skus',
  'barcodes',
  'alsoFoundBy',
  'drops',
  'description',
  'priceBand',
  'createdAtMs',
] as const;

/** Private-use characters, which no product contains: the text around them can be escaped before they become tags. */
const markStart = '\ue000';
const markEnd = '\ue001';

const orders: Record<SortOrder, string> = {
  relevance: '_text_match:desc,popularity:desc',
  'price-asc': 'price:asc,popularity:desc',
  'price-desc': 'price:desc,popularity:desc',
  popularity: 'popularity:desc',
  newest: 'createdAtMs:desc',
};

/** What the shop has chosen for one search: products that come first, in this order, and products that do not come. */
export interface Pins {
  readonly pinned: readonly ProductId[];
  readonly hidden: readonly ProductId[];
}

/** Searches that differ in case, accents or signs are one. */
export function pinnedTextOf(text: string): string {
  return wordSequenceOf(text).join(' ');
}

export type SearchParameters = Record<string, string | number>;

/** Typesense's filter language for the filters, without those of one facet. */
export function filterByOf(filters: SearchFilters, without?: FacetName): string {
  const { brands, categories, priceMin, priceMax, inStock, drops } = filters;
  const parts: string[] = [];
  if (without !== 'brand' && brands.length > 0) parts.push(`brand:=[${brands.map(quoted).join(',')}]`);
  if (without !== 'category' && categories.length > 0) {
    parts.push(`categories:=[${categories.map(quoted).join(',')}]`);
  }
  if (without !== 'price' && priceMin !== undefined) parts.push(`price:>=${wholeNumber(priceMin)}`);
  if (without !== 'price' && priceMax !== undefined) parts.push(`price:<=${wholeNumber(priceMax)}`);
  if (without !== 'availability' && inStock !== undefined) {
    parts.push(`inStock:=${inStock ? 'true' : 'false'}`);
  }
  if (without !== 'drop' && drops.length > 0) parts.push(`drops:=[${drops.map(quoted).join(',')}]`);
  return parts.join(' && ');
}

function quoted(value: string): string {
  if (value.includes('`')) throw new RangeError('a filter value must not contain a backtick');
  return `\`${value}\``;
}

function wholeNumber(value: number): string {
  if (!Number.isSafeInteger(value)) throw new RangeError('a price in a filter must be a whole number');
  return String(value);
}

/** Facets whose own filter is set need a search of their own to be counted. */
export function separateFacetsOf(filters: SearchFilters): FacetName[] {
  const { brands, categories, priceMin, priceMax, inStock, drops } = filters;
  const names: FacetName[] = [];
  if (brands.length > 0) names.push('brand');
  if (categories.length > 0) names.push('category');
  if (priceMin !== undefined || priceMax !== undefined) names.push('price');
  if (inStock !== undefined) names.push('availability');
  if (drops.length > 0) names.push('drop');
  return names;
}

/** The searches that answer a question, for one request: the hits first, then one for each of `separateFacetsOf`. */
export function searchesOf(question: SearchQuestion, pins: Pins | null = null): SearchParameters[] {
  const { text, filters } = question;
  const matching = {
    q: text === '' ? '*' : text,
    query_by: queryBy,
    query_by_weights: queryByWeights,
    num_typos: numTypos,
    ...(pins && question.sort === 'relevance' ? pinning(pins) : {}),
  };
  const hits = {
    ...matching,
    filter_by: filterByOf(filters),
    sort_by: text === '' && question.sort === 'relevance' ? orders.popularity : orders[question.sort],
    page: question.page,
    per_page: question.perPage,
    facet_by: Object.values(facetFields).join(','),
    max_facet_values: 50,
    highlight_fields: 'title,brand,description',
    highlight_start_tag: markStart,
    highlight_end_tag: markEnd,
    // Of a hit no more is sent than is shown: writing answers was a fifth of the embedded service's time.
    exclude_fields: unshownFields.join(','),
    enable_highlight_v1: 'false',
  };
  const facets = separateFacetsOf(filters).map(name => ({
    ...matching,
    filter_by: filterByOf(filters, name),
    facet_by: facetFields[name],
    max_facet_values: 50,
    page: 1,
    per_page: 0,
  }));
  return [hits, ...facets];
}

/** What the shop puts first is held to the filters like everything else. */
function pinning({ pinned, hidden }: Pins): SearchParameters {
  return {
    ...(pinned.length > 0 ? { pinned_hits: pinned.map((id, index) => `${id}:${index + 1}`).join(',') } : {}),
    ...(hidden.length > 0 ? { hidden_hits: hidden.join(',') } : {}),
    filter_curated_hits: 'true',
  };
}

/** Typesense's counts of one search, as far as they are used. */
export interface FacetCount {
  field_name: string;
  counts: { value: string; count: number }[];
  stats: { min?: number | undefined; max?: number | undefined };
}

/** `answers` as asked by `searchesOf`: those of the hits' search, then one list for each separate facet. */
export function facetsOf(filters: SearchFilters, answers: readonly (readonly FacetCount[])[]): SearchFacets {
  const separate = separateFacetsOf(filters);
  const countsFor = (name: FacetName): readonly FacetCount[] => answers[separate.indexOf(name) + 1] ?? [];
  const field = (name: FacetName, fieldName: string): FacetCount | undefined =>
    countsFor(name).find(count => count.field_name === fieldName);
  const valuesOf = (count: FacetCount | undefined): FacetValue[] =>
    (count?.counts ?? []).map(each => ({ value: each.value, count: each.count }));

  const currency = field('price', 'currency')?.counts[0]?.value;
  const stats = field('price', 'price')?.stats;
  const bands = valuesOf(field('price', 'priceBand'))
    .map(band => ({ from: Number(band.value), count: band.count }))
    .toSorted((a, b) => a.from - b.from);
  return {
    brand: valuesOf(field('brand', 'brand')),
    category: valuesOf(field('category', 'categories')),
    price: {
      ranges: bands.map(({ from, count }) => {
        const end = priceBandEndOf(from, currency ?? '');
        return end === null ? { from, count } : { from, to: end - 1, count };
      }),
      stats:
        currency === undefined || stats?.min === undefined || stats.max === undefined
          ? null
          : { min: stats.min, max: stats.max, currency },
    },
    availability: valuesOf(field('availability', 'inStock')).map(({ value, count }) => ({
      value: value === 'true' ? 'in-stock' : 'out-of-stock',
      count,
    })),
    drop: valuesOf(field('drop', 'drops')),
  };
}

/** A snippet as HTML that is safe whatever the product says. */
export function highlightHtml(snippet: string): string {
  return snippet
    .replace(/[&<>"']/g, character => `&#${character.charCodeAt(0)};`)
    .replaceAll(markStart, '<mark>')
    .replaceAll(markEnd, '</mark>');
}

export const noFacets: SearchFacets = {
  brand: [],
  category: [],
  price: { ranges: [], stats: null },
  availability: [],
  drop: [],
};
