// A product as search knows it: the fields of its collection, and how a product of the catalog becomes one of its
// documents. What stands here decides what the index must hold, for the indexer and for whoever compares the two.
import { z } from 'zod';
import { lowestPriceOf } from '../catalog/catalog.rules.ts';
import type { Product } from '../catalog/product.ts';
import type { DropId, Sku } from '../ids.ts';
import { priceBandOf } from './price-bands.rules.ts';

/** Raised with every change of the fields below, so that a new version begins with a new collection. */
export const schemaVersion = 4;

const fields = [
  { name: 'title', type: 'string' as const },
  { name: 'brand', type: 'string' as const, facet: true, optional: true },
  { name: 'categories', type: 'string[]' as const, facet: true },
  { name: 'description', type: 'string' as const, optional: true },
  { name: 'skus', type: 'string[]' as const },
  { name: 'barcodes', type: 'string[]' as const },
  /** Synonyms of its words, see the catalog's rules. */
  { name: 'alsoFoundBy', type: 'string[]' as const },
  { name: 'slug', type: 'string' as const, index: false, optional: true },
  /** The least of the variants' prices, in minor units. */
  { name: 'price', type: 'int64' as const, facet: true },
  { name: 'currency', type: 'string' as const, facet: true },
  { name: 'priceBand', type: 'int64' as const, facet: true },
  { name: 'popularity', type: 'int32' as const },
  { name: 'inStock', type: 'bool' as const, facet: true },
  /** The drops that sell it, from the moment they are planned until they are closed. */
  { name: 'drops', type: 'string[]' as const, facet: true },
  { name: 'createdAtMs', type: 'int64' as const },
  { name: 'image', type: 'string' as const, index: false, optional: true },
];

/** The collection, but for its name. */
export const productCollection = {
  fields,
  default_sorting_field: 'popularity',
  // "S-View" is found by `view`, "and/or" by either; Typesense would join them into one word.
  token_separators: ['-', '/'],
};

export const productEntrySchema = z.object({
  id: z.string(),
  title: z.string(),
  brand: z.string().optional(),
  categories: z.array(z.string()),
  description: z.string().optional(),
  skus: z.array(z.string()),
  // Of the version before this one, which is searched until it has been rebuilt, the entries have neither.
  barcodes: z.array(z.string()).default([]),
  alsoFoundBy: z.array(z.string()).default([]),
  slug: z.string().optional(),
  price: z.int(),
  currency: z.string(),
  priceBand: z.int(),
  popularity: z.int(),
  inStock: z.boolean(),
  drops: z.array(z.string()),
  createdAtMs: z.int(),
  image: z.string().optional(),
});
export type ProductEntry = z.infer<typeof productEntrySchema>;

/** What the running drops say of a SKU: whether it can be bought right now, and in which drops it is sold. */
export interface Availability {
  readonly inStock: boolean;
  readonly drops: readonly DropId[];
}

/** SKUs that no drop sells are missing from the answer. */
export type AvailabilityLookup = (skus: readonly Sku[]) => Promise<ReadonlyMap<Sku, Availability>>;

/** A product, with what it is found by besides its own words. */
type FoundProduct = Product & { readonly alsoFoundBy?: readonly string[] };

export function entryOf(product: FoundProduct, availability: ReadonlyMap<Sku, Availability>): ProductEntry {
  const price = lowestPriceOf(product.variants);
  const image = product.images[0];
  const known = product.variants.flatMap(({ sku }) => availability.get(sku) ?? []);
  return {
    id: product.productId,
    title: product.title,
    ...(product.brand === undefined ? {} : { brand: product.brand }),
    categories: product.categories,
    ...(product.description === undefined ? {} : { description: product.description }),
    skus: product.variants.map(variant => variant.sku),
    barcodes: product.variants.flatMap(({ barcode }) => barcode ?? []),
    alsoFoundBy: [...(product.alsoFoundBy ?? [])],
    slug: product.slug,
    price: price.amount,
    currency: price.currency,
    priceBand: priceBandOf(price),
    popularity: product.popularity,
    inStock: known.some(({ inStock }) => inStock),
    // Sorted, so that the same drops are the same document.
    drops: [...new Set(known.flatMap(({ drops }) => drops))].toSorted(),
    createdAtMs: product.createdAtMs,
    ...(image === undefined ? {} : { image }),
  };
}

/** The entries of many products, with one look at the drops. */
export async function entriesOf(
  products: readonly FoundProduct[],
  availabilityOf: AvailabilityLookup,
): Promise<ProductEntry[]> {
  const skus = products.flatMap(product => product.variants.map(variant => variant.sku));
  const availability = await availabilityOf(skus);
  return products.map(product => entryOf(product, availability));
}
