// The products of a real shop, beside the repository where they are there, as the tests and benchmarks of search read
// them; and how one asks for some.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { mapProduct } from '../../server/catalog/map-product.ts';
import { slugOf } from '../../server/catalog/catalog.rules.ts';
import { type Product, type ProductInput, productSchema } from '../../server/catalog/product.ts';
import { entryOf, type ProductEntry } from '../../server/search/product-entry.ts';
import type { SearchQuestion } from '../../server/search/search.rules.ts';

export const realProductsFile = path.resolve(import.meta.dirname, '../../../shared/data/products.json');
export const hasRealProducts = existsSync(realProductsFile);
/** For the titles of tests that need them. */
export const realOnly = hasRealProducts ? '' : ' (skipped: ../shared/data/products.json is not there)';

/** As the catalog would have it, without one. */
export function productFrom(input: ProductInput, more: Partial<Product> = {}): Product {
  return productSchema.parse({
    slug: slugOf(input.title) || 'product',
    status: 'active',
    taxClass: 'standard',
    categories: [],
    images: [],
    popularity: 0,
    rev: 1,
    createdAtMs: 0,
    updatedAtMs: 0,
    ...input,
    ...more,
  });
}

export function realProducts(): Product[] {
  const items = z.array(z.unknown()).parse(JSON.parse(readFileSync(realProductsFile, 'utf8')));
  return items.flatMap(item => {
    const mapped = mapProduct(item, { currency: 'USD' });
    return mapped.kind === 'product' ? [productFrom(mapped.product)] : [];
  });
}

/** What the index holds of them while nothing is sold. */
export function realEntries(): ProductEntry[] {
  return realProducts().map(product => entryOf(product, new Map()));
}

/** A question, as far as it says more than its text. */
export type Asked = Partial<Omit<SearchQuestion, 'text' | 'filters'>> & {
  filters?: Partial<SearchQuestion['filters']>;
};

export function question(text: string, more: Asked = {}): SearchQuestion {
  const none = {
    brands: [],
    categories: [],
    priceMin: undefined,
    priceMax: undefined,
    inStock: undefined,
    drops: [],
  };
  const { filters, ...rest } = more;
  return {
    text,
    sort: 'relevance',
    page: 1,
    perPage: 20,
    ...rest,
    filters: { ...none, ...filters },
  };
}
