// Redis, MongoDB's and Typesense's stand-ins, and the catalog and search over them, as a test of either needs them.
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { type Catalog, createCatalog } from '../../server/catalog/catalog.ts';
import { type CatalogStore, createCatalogStore } from '../../server/catalog/catalog.store.ts';
import type { SharedProducts } from '../../server/catalog/shared-products.store.ts';
import { createProductChanges } from '../../server/catalog/product-changes.ts';
import { type ProductInput, productInputSchema } from '../../server/catalog/product.ts';
import { connectMongo, type MongoConnection } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import type { ChosenResults } from '../../server/search/chosen-results.ts';
import { createProductIndexer, type ProductIndexer } from '../../server/search/index-products.ts';
import type { AvailabilityLookup } from '../../server/search/product-entry.ts';
import { createReindex, type Reindex } from '../../server/search/reindex.ts';
import { createReindexStore } from '../../server/search/reindex.store.ts';
import { createSearch, type Search } from '../../server/search/search.ts';
import { createSearchIndex, type SearchIndex } from '../../server/search/search-index.ts';
import { type EmbeddedMongo, startEmbeddedMongo } from './embedded-mongo.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from './embedded-redis.ts';
import { type EmbeddedTypesense, startEmbeddedTypesense } from './embedded-typesense.ts';

export const quietLog = pino({ level: 'silent' });

export interface CatalogServices {
  readonly redis: EmbeddedRedis;
  readonly mongo: EmbeddedMongo;
  readonly typesense: EmbeddedTypesense;
  /** A catalog as one process has it, with a store of its own connection. */
  openCatalog(options?: {
    onIndexDue?: () => void;
    /** `catalog` unless named. */
    database?: string;
    /** After each read of MongoDB, before what was read is used. */
    onRead?: () => void | Promise<void>;
    shared?: SharedProducts;
  }): Promise<OpenCatalog>;
  openSearch(
    catalog: Catalog,
    options?: {
      availabilityOf?: AvailabilityLookup;
      now?: () => number;
      pins?: Pick<ChosenResults, 'of'>;
    },
  ): {
    search: Search;
    indexer: ProductIndexer;
    index: SearchIndex;
  };
  /** As one process runs it, over a connection of its own. */
  openReindex(
    open: OpenCatalog,
    options?: { availabilityOf?: AvailabilityLookup; index?: SearchIndex },
  ): Reindex;
  dispose(): Promise<void>;
}

export interface OpenCatalog {
  readonly catalog: Catalog;
  readonly store: CatalogStore;
  readonly connection: MongoConnection;
  readonly redis: Redis;
  readonly events: Redis;
}

export async function startCatalogServices(): Promise<CatalogServices> {
  const [redis, mongo, typesense] = await Promise.all([
    startEmbeddedRedis(),
    startEmbeddedMongo(),
    startEmbeddedTypesense(),
  ]);
  const closers: (() => Promise<unknown>)[] = [];
  return {
    redis,
    mongo,
    typesense,
    async openCatalog(options = {}) {
      const connection = await connectMongo({
        uri: `${mongo.uri}/${options.database ?? 'catalog'}`,
        log: quietLog,
      });
      const publisher = connectRedis({ url: redis.url, role: 'limits', log: quietLog });
      const events = connectRedis({ url: redis.url, role: 'events', log: quietLog });
      const made = createCatalogStore(connection);
      await made.ensureIndexes();
      const store: CatalogStore = {
        ...made,
        async read(productId) {
          const product = await made.read(productId);
          // Between the read and its use: what changes now is changed behind its back.
          await options.onRead?.();
          return product;
        },
      };
      const catalog = await createCatalog({
        store,
        changes: createProductChanges({ redis: publisher, events, log: quietLog }),
        clock: { now: Date.now },
        log: quietLog,
        ...(options.onIndexDue ? { onIndexDue: options.onIndexDue } : {}),
        ...(options.shared ? { shared: options.shared } : {}),
      });
      closers.push(async () => {
        await catalog.close();
        publisher.disconnect();
        events.disconnect();
        await connection.close();
      });
      return { catalog, store, connection, redis: publisher, events };
    },
    openSearch(catalog, options = {}) {
      const { url, apiKey } = typesense;
      const index = createSearchIndex({ url, apiKey });
      return {
        index,
        search: createSearch({
          typesense: { url, apiKey },
          catalog,
          log: quietLog,
          ...(options.now ? { now: options.now } : {}),
          ...(options.pins ? { pins: options.pins } : {}),
        }),
        indexer: createProductIndexer({
          catalog,
          index,
          log: quietLog,
          ...(options.availabilityOf ? { availabilityOf: options.availabilityOf } : {}),
        }),
      };
    },
    openReindex({ catalog, connection }, options = {}) {
      const { availabilityOf = async () => new Map(), index = createSearchIndex(typesense) } = options;
      return createReindex({
        catalog,
        index,
        store: createReindexStore(connection),
        availabilityOf,
        clock: { now: Date.now },
        log: quietLog,
      });
    },
    async dispose() {
      for (const close of closers) await close();
      await Promise.all([redis.dispose(), mongo.stop(), typesense.stop()]);
    },
  };
}

/** A product that differs from others by its id alone, unless told otherwise. */
export function someProduct(productId: string, more: Record<string, unknown> = {}): ProductInput {
  return productInputSchema.parse({
    productId,
    title: `Product ${productId}`,
    variants: [{ sku: `${productId}-one`, price: { amount: 2999, currency: 'USD' } }],
    ...more,
  });
}
