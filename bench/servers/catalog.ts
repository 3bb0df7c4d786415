// `catalog.*` behind the engine's HTTP side, with real Redis and the embedded MongoDB behind it.
import { z } from 'zod';
import { createCatalogRouter } from '../../server/catalog/catalog.router.ts';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { createCatalog } from '../../server/catalog/catalog.ts';
import { productInputSchema } from '../../server/catalog/product.ts';
import { createProductChanges } from '../../server/catalog/product-changes.ts';
import { createSharedProducts } from '../../server/catalog/shared-products.store.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { countProductReads, createMetrics } from '../../server/platform/telemetry.ts';
import { benchLog as log, serveEngine } from '../support/serve-engine.ts';

const settings = z
  .object({
    REDIS_URL: z.string(),
    MONGODB_URI: z.string(),
    TOKEN_SECRET: z.string(),
    BENCH_PRODUCT: z.string(),
  })
  .parse(process.env);
const metrics = createMetrics();
const limitsRedis = connectRedis({ url: settings.REDIS_URL, role: 'limits', log });
const events = connectRedis({ url: settings.REDIS_URL, role: 'events', log });
const store = createCatalogStore(await connectMongo({ uri: settings.MONGODB_URI, log }));
await store.ensureIndexes();
const productReads = countProductReads(metrics);
const catalog = await createCatalog({
  store,
  changes: createProductChanges({ redis: limitsRedis, events, log }),
  clock: { now: Date.now },
  log,
  shared: createSharedProducts({
    redis: limitsRedis,
    onHit: () => productReads.redis.inc(),
  }),
  onRead: by => productReads[by].inc(),
});
await catalog.upsert(productInputSchema.parse(JSON.parse(settings.BENCH_PRODUCT)));

serveEngine({
  routers: { catalog: createCatalogRouter(catalog) },
  limitsRedis,
  clock: { now: Date.now, stop: () => {} },
  tokenSecret: settings.TOKEN_SECRET,
  metrics,
});
