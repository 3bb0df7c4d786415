// Pure rules of the catalog: the words that a product is found by, its slug, its price for sorting, and cursors.
import type { ProductId } from '../ids.ts';
import type { PriceTier } from '../pricing/unit-price.rules.ts';
import type { Product, ProductInput, Variant } from './product.ts';

/** Words of a text for exact lookups: lower case, without accents, letters and digits only. */
export function wordsOf(text: string): string[] {
  return [...new Set(wordSequenceOf(text))];
}

/** The same words in their order, as often as they stand there. */
export function wordSequenceOf(text: string): string[] {
  // Compatibility forms would make letters of these: Insignia™ would be found as `insigniatm` alone.
  const unmarked = text.replace(/[™®©℠]/gu, ' ');
  const plain = unmarked.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
  return plain.match(/[\p{L}\p{N}]+/gu) ?? [];
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

/** What a variant costs in a currency; undefined where the shop has not said it. */
export function priceIn(variant: Pick<Variant, 'price' | 'prices'>, currency: string) {
  return [variant.price, ...(variant.prices ?? [])].find(price => price.currency === currency);
}

/** The tiers of a variant in one currency, as far as it has any, in the order given. */
export function tiersIn(variant: Pick<Variant, 'tiers'>, currency: string): PriceTier[] {
  return (variant.tiers ?? [])
    .filter(({ price }) => price.currency === currency)
    .map(({ from, price }) => ({ from, amount: price.amount }));
}

/** How one variant is called where it stands alone, as in a drop or on a receipt. */
export function variantTitleOf(product: Pick<Product, 'title'>, variant: Pick<Variant, 'title'>): string {
  return variant.title === undefined ? product.title : `${product.title} – ${variant.title}`;
}

/** One text for the same options, in whatever order they come. */
export function optionsKey(options: Readonly<Record<string, string>>): string {
  return JSON.stringify(sortedEntries(options));
}

/** Letters that decompose into nothing plain, as addresses are written with them. */
const plainLetters: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ł: 'l',
  ı: 'i',
};

/** A title as part of an address; empty where it has no letter that an address shows plainly. */
export function slugOf(title: string, maxChars = 60): string {
  return title
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[ßæœøđðþłı]/g, letter => plainLetters[letter] ?? letter)
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, maxChars)
    .replace(/^-+|-+$/g, '');
}

/**
 * The slugs that a product without one may have, the best first. `mark` is of that product alone, so that the second is
 * free for it, unless somebody has chosen it by hand.
 */
export function slugChoices(product: Pick<ProductInput, 'title' | 'productId'>, mark: string): string[] {
  const plain = slugOf(product.title) || slugOf(product.productId);
  return [plain, `${plain}-${mark}`];
}

/**
 * The content of a product in one spelling, so that sending the same product again is seen to change nothing:
 * keys in a fixed order, attributes sorted, absent and empty the same. The slug is not in it: left out, it stays.
 */
export function canonicalProduct(input: ProductInput): string {
  return JSON.stringify([
    input.title,
    input.description ?? '',
    input.brand ?? '',
    input.categories ?? [],
    input.images ?? [],
    input.popularity ?? 0,
    input.status ?? 'active',
    input.taxClass ?? 'standard',
    input.variants.map(({ sku, title, barcode, options, price, prices = [], tiers = [], attributes }) => [
      sku,
      title ?? '',
      barcode ?? '',
      sortedEntries(options),
      price.amount,
      price.currency,
      sortedPrices(prices).map(({ amount, currency }) => [amount, currency]),
      sortedEntries(attributes),
      // A product without tiers has the content that it had before there were any: none is changed by an upgrade.
      ...(tiers.length > 0
        ? [sortedTiers(tiers).map(({ from, price: each }) => [from, each.amount, each.currency])]
        : []),
    ]),
  ]);
}

/** Prices in the order of their currencies, as they are kept. */
export function sortedPrices<T extends { currency: string }>(prices: readonly T[]): T[] {
  return prices.toSorted((a, b) => (a.currency < b.currency ? -1 : 1));
}

/** By currency, and in each by how many pieces they begin at. */
export function sortedTiers<T extends { from: number; price: { currency: string } }>(
  tiers: readonly T[],
): T[] {
  return tiers.toSorted((a, b) =>
    a.price.currency === b.price.currency ? a.from - b.from : a.price.currency < b.price.currency ? -1 : 1,
  );
}

function sortedEntries(given: Readonly<Record<string, unknown>> = {}): [string, unknown][] {
  return Object.entries(given).toSorted(([a], [b]) => (a < b ? -1 : 1));
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
