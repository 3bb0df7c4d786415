// What is searched for, as it stands in the address: a search can be shared, gone back to, and reloaded.
import type { SearchAnswer } from '../engine/types.ts';

export const sorts = ['relevance', 'price-asc', 'price-desc', 'popularity', 'newest'] as const;
export type Sort = (typeof sorts)[number];

export interface Question {
  readonly q: string;
  readonly brands: readonly string[];
  readonly categories: readonly string[];
  /** In minor units of the catalog's currency. */
  readonly priceMin: number | null;
  readonly priceMax: number | null;
  readonly inStock: boolean;
  readonly sort: Sort;
  readonly perPage: number;
}

export const pageCount = 24;
/** The engine's own bound for one answer. */
export const pageCountMax = 96;

export function readQuestion(search: string): Question {
  const params = new URLSearchParams(search);
  const amount = (name: string) => {
    const text = params.get(name) ?? '';
    return /^\d{1,9}$/.test(text) ? Number(text) : null;
  };
  const shown = amount('show') ?? pageCount;
  return {
    q: (params.get('q') ?? '').slice(0, 200),
    brands: params.getAll('brand'),
    categories: params.getAll('category'),
    priceMin: amount('min'),
    priceMax: amount('max'),
    inStock: params.get('stock') === '1',
    sort: sorts.find(sort => sort === params.get('sort')) ?? 'relevance',
    perPage: Math.min(pageCountMax, Math.max(pageCount, shown)),
  };
}

/** Only what differs from nothing asked, so that an address stays as short as what it says. */
export function writeQuestion(question: Question): string {
  const { q, brands, categories, priceMin, priceMax, inStock, sort, perPage } = question;
  const params = new URLSearchParams();
  if (q !== '') params.set('q', q);
  for (const brand of brands) params.append('brand', brand);
  for (const category of categories) params.append('category', category);
  if (priceMin !== null) params.set('min', String(priceMin));
  if (priceMax !== null) params.set('max', String(priceMax));
  if (inStock) params.set('stock', '1');
  if (sort !== 'relevance') params.set('sort', sort);
  if (perPage !== pageCount) params.set('show', String(perPage));
  return params.toString();
}

export function filtersCount(question: Question): number {
  const { brands, categories, priceMin, priceMax, inStock } = question;
  return (
    brands.length +
    categories.length +
    Number(priceMin !== null) +
    Number(priceMax !== null) +
    Number(inStock)
  );
}

/** The question as the engine takes it. */
export function searchInput(question: Question) {
  const { q, brands, categories, priceMin, priceMax, inStock, sort, perPage } = question;
  return {
    q: q.trim(),
    sort,
    perPage,
    filters: {
      ...(brands.length > 0 ? { brand: [...brands] } : {}),
      ...(categories.length > 0 ? { category: [...categories] } : {}),
      ...(priceMin === null ? {} : { priceMin }),
      ...(priceMax === null ? {} : { priceMax }),
      ...(inStock ? { inStock } : {}),
    },
  };
}

export type Facets = SearchAnswer['facets'];
