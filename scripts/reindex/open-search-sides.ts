// The catalog, the index and what runs between them, of the installation that the settings name, for the commands that
// rebuild the index or hold it against the catalog.
import { pino } from 'pino';
import { z } from 'zod';
import { type Catalog, createCatalog } from '../../server/catalog/catalog.ts';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { createReadAvailability } from '../../server/drops/availability.ts';
import { createDropsStore } from '../../server/drops/drops.store.ts';
import { createLiveStore } from '../../server/drops/live.store.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import type { AvailabilityLookup } from '../../server/search/product-entry.ts';
import { createReindex, type Reindex } from '../../server/search/reindex.ts';
import { createReindexStore } from '../../server/search/reindex.store.ts';
import { createSearchIndex, type SearchIndex } from '../../server/search/search-index.ts';

export const searchSettingsSchema = z.object({
  REDIS_URL: z.string().min(1),
  MONGODB_URI: z.string().min(1),
  TYPESENSE_URL: z.string().min(1),
  TYPESENSE_API_KEY: z.string().min(1),
  LUA_CLOCK: z.enum(['redis', 'test']).default('redis'),
});

export interface SearchSides {
  readonly catalog: Catalog;
  readonly index: SearchIndex;
  readonly availabilityOf: AvailabilityLookup;
  readonly reindex: Reindex;
  close(): Promise<void>;
}

export async function openSearchSides(settings: z.output<typeof searchSettingsSchema>): Promise<SearchSides> {
  const log = pino({ level: 'silent' });
  const mongo = await connectMongo({ uri: settings.MONGODB_URI, log });
  const redis = connectRedis({ url: settings.REDIS_URL, role: 'stock', log });
  const store = createCatalogStore(mongo);
  await store.ensureIndexes();
  const catalog = await createCatalog({
    store,
    // Nothing is changed and nothing is remembered here.
    changes: { announce: async () => undefined, listen: async () => async () => undefined },
    clock: { now: Date.now },
    log,
  });
  const run = createLuaRunner(redis, { clock: settings.LUA_CLOCK });
  const availabilityOf = createReadAvailability({
    drops: createDropsStore(mongo),
    live: createLiveStore({ redis, run }),
  });
  const index = createSearchIndex({ url: settings.TYPESENSE_URL, apiKey: settings.TYPESENSE_API_KEY });
  return {
    catalog,
    index,
    availabilityOf,
    reindex: createReindex({
      catalog,
      index,
      store: createReindexStore(mongo),
      availabilityOf,
      clock: { now: Date.now },
      log,
    }),
    async close() {
      await catalog.close();
      redis.disconnect();
      await mongo.close();
    },
  };
}
