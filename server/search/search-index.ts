// The collection of products in the search service: its schema, how a product becomes one of its documents, and the
// few calls that the indexer and the searches make. The engine names only the alias `products`; behind it stands a
// collection named by its schema's version, so that a rebuilt one can take its place between two searches.
import { Client, Errors } from 'typesense';
import { z } from 'zod';
import { lowestPriceOf } from '../catalog/catalog.rules.ts';
import type { Product } from '../catalog/product.ts';
import { limits } from '../limits.ts';
import { priceBandOf } from './price-bands.rules.ts';

export const productsAlias = 'products';

/** Raised with every change of the fields below, so that a new version begins with a new collection. */
const schemaVersion = 1;
const collectionName = `products-v${schemaVersion}`;

const fields = [
  { name: 'title', type: 'string' as const },
  { name: 'brand', type: 'string' as const, facet: true, optional: true },
  { name: 'categories', type: 'string[]' as const, facet: true },
  { name: 'description', type: 'string' as const, optional: true },
  { name: 'skus', type: 'string[]' as const },
  /** The least of the variants' prices, in minor units. */
  { name: 'price', type: 'int64' as const, facet: true },
  { name: 'currency', type: 'string' as const, facet: true },
  { name: 'priceBand', type: 'int64' as const, facet: true },
  { name: 'popularity', type: 'int32' as const },
  { name: 'inStock', type: 'bool' as const, facet: true },
  { name: 'createdAtMs', type: 'int64' as const },
  { name: 'image', type: 'string' as const, index: false, optional: true },
];

export const productEntrySchema = z.object({
  id: z.string(),
  title: z.string(),
  brand: z.string().optional(),
  categories: z.array(z.string()),
  description: z.string().optional(),
  skus: z.array(z.string()),
  price: z.int(),
  currency: z.string(),
  priceBand: z.int(),
  popularity: z.int(),
  inStock: z.boolean(),
  createdAtMs: z.int(),
  image: z.string().optional(),
});
export type ProductEntry = z.infer<typeof productEntrySchema>;

export function entryOf(product: Product, inStock: boolean): ProductEntry {
  const price = lowestPriceOf(product.variants);
  const image = product.images[0];
  return {
    id: product.productId,
    title: product.title,
    ...(product.brand === undefined ? {} : { brand: product.brand }),
    categories: product.categories,
    ...(product.description === undefined ? {} : { description: product.description }),
    skus: product.variants.map(variant => variant.sku),
    price: price.amount,
    currency: price.currency,
    priceBand: priceBandOf(price),
    popularity: product.popularity,
    inStock,
    createdAtMs: product.createdAtMs,
    ...(image === undefined ? {} : { image }),
  };
}

export interface SearchIndex {
  /** Makes collection and alias where they are missing; true where the index is new, and so empty. */
  ensure(): Promise<boolean>;
  /** The ids of the entries that the service refused, with its words. */
  put(entries: readonly ProductEntry[]): Promise<Map<string, string>>;
  drop(productIds: readonly string[]): Promise<void>;
  /** True where the service lost the collection or its alias. */
  isMissing(error: unknown): boolean;
}

const importAnswerSchema = z.array(z.object({ success: z.boolean(), error: z.string().optional() }));

export function createTypesenseClient(options: {
  url: string;
  apiKey: string;
  timeoutMs: number;
  retriesCount: number;
}): Client {
  const { protocol, hostname, port, pathname } = new URL(options.url);
  return new Client({
    nodes: [
      {
        host: hostname,
        port: Number(port || (protocol === 'https:' ? 443 : 80)),
        protocol: protocol.replace(':', ''),
        path: pathname.replace(/\/$/, ''),
      },
    ],
    apiKey: options.apiKey,
    connectionTimeoutSeconds: options.timeoutMs / 1000,
    numRetries: options.retriesCount,
    retryIntervalSeconds: 0.2,
    // The client would write to the console, past the engine's own log; what fails is thrown, and logged there.
    logLevel: 'silent',
  });
}

export function createSearchIndex(options: { url: string; apiKey: string }): SearchIndex {
  const client = createTypesenseClient({ ...options, timeoutMs: limits.indexTimeoutMs, retriesCount: 0 });
  return {
    async ensure() {
      const target = await client
        .aliases(productsAlias)
        .retrieve()
        .then(
          alias => alias.collection_name,
          (error: unknown) => {
            if (error instanceof Errors.ObjectNotFound) return null;
            throw error;
          },
        );
      const isNew = await createIfMissing(client, target ?? collectionName);
      if (target === null) await client.aliases().upsert(productsAlias, { collection_name: collectionName });
      return isNew;
    },

    async put(entries) {
      if (entries.length === 0) return new Map();
      const answer = importAnswerSchema.parse(
        await client
          .collections<ProductEntry>(productsAlias)
          .documents()
          .import([...entries], { action: 'upsert', throwOnFail: false }),
      );
      const refused = new Map<string, string>();
      for (const [index, entry] of entries.entries()) {
        const result = answer[index];
        if (!result?.success) refused.set(entry.id, result?.error ?? 'no answer');
      }
      return refused;
    },

    async drop(productIds) {
      for (const productId of productIds) {
        try {
          await client.collections(productsAlias).documents(productId).delete();
        } catch (error) {
          // One that is not there is as good as dropped; a collection that is not there is another matter.
          const isGone = error instanceof Errors.ObjectNotFound && !/collection/i.test(error.message);
          if (!isGone) throw error;
        }
      }
    },

    isMissing: error => error instanceof Errors.ObjectNotFound,
  };
}

async function createIfMissing(client: Client, name: string): Promise<boolean> {
  if (await client.collections(name).exists()) return false;
  try {
    await client.collections().create({
      name,
      fields,
      default_sorting_field: 'popularity',
      // "S-View" is found by `view`, "and/or" by either; Typesense would join them into one word.
      token_separators: ['-', '/'],
    });
    return true;
  } catch (error) {
    // Another process was faster; then it is that one's to fill.
    if (error instanceof Errors.ObjectAlreadyExists) return false;
    throw error;
  }
}
