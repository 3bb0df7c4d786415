// Pure rules of the catalog: the words that a product is found by, its price for sorting, and cursors.
import type { ProductId } from '../ids.ts';
import type { Product, ProductInput, Variant } from './product.ts';

/** Words of a text for exact lookups: lower case, without accents, letters and digits only. */
export function wordsOf(text: string): string[] {
  // Compatibility forms would make letters of these: Insignia™ would be found as `insigniatm` alone.
  const unmarked = text.replace(/[™®©℠]/gu, ' ');
  const plain = unmarked.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return [...new Set(plain.match(/[\p{L}\p{N}]+/gu) ?? [])];
}

/** What MongoDB finds a product by when the search service is away. Bounded: an index entry is kept for each. */
export function findingWordsOf(product: Pick<ProductInput, 'title' | 'brand' | 'categories'>): string[] {
  const text = [product.title, product.brand ?? '', ...(product.categories ?? [])].join(' ');
  return wordsOf(text).slice(0, 40);
}

/** The least price of a product's variants: what "from" means on a page, and what it is sorted by. */
export function lowestPriceOf(variants: readonly Variant[]): { amount: number; currency: string } {
  const [first, ...rest] = variants;
  if (!first) throw new Error('a product without a variant has no price');
  return rest.reduce((least, { price }) => (price.amount < least.amount ? price : least), first.price);
}

/** How one variant is called where it stands alone, as in a drop or on a receipt. */
export function variantTitleOf(product: Pick<Product, 'title'>, variant: Pick<Variant, 'title'>): string {
  return variant.title === undefined ? product.title : `${product.title} – ${variant.title}`;
}

/**
 * The content of a product in one spelling, so that sending the same product again is seen to change nothing:
 * keys in a fixed order, attributes sorted, absent and empty the same.
 */
export function canonicalProduct(input: ProductInput): string {
  const attributes = (given: Readonly<Record<string, unknown>> = {}) =>
    Object.entries(given).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    input.title,
    input.description ?? '',
    input.brand ?? '',
    input.categories ?? [],
    input.images ?? [],
    input.popularity ?? 0,
    input.variants.map(({ sku, title, price, attributes: given }) => [
      sku,
      title ?? '',
      price.amount,
      price.currency,
      attributes(given),
    ]),
  ]);
}

/** Opaque to clients; it holds no more than where the page ended. */
export function cursorAfter(productId: ProductId): string {
  return Buffer.from(`p1:${productId}`).toString('base64url');
}

/** The product id in a cursor of ours, still to be checked as an id; null for any other text. */
export function readCursor(cursor: string): string | null {
  const text = Buffer.from(cursor, 'base64url').toString('utf8');
  return text.startsWith('p1:') ? text.slice('p1:'.length) : null;
}
