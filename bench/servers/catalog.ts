// The engine's HTTP side with `catalog.*` behind it, as `server/main.ts` puts it together, and beside it a mutation that
// does nothing.
import { pino } from 'pino';
import { z } from 'zod';
import { createAuthenticate, sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import { createCatalogRouter } from '../../server/catalog/catalog.router.ts';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { createCatalog } from '../../server/catalog/catalog.ts';
import { productInputSchema } from '../../server/catalog/product.ts';
import { createProductChanges } from '../../server/catalog/product-changes.ts';
import { createSharedProducts } from '../../server/catalog/shared-products.store.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import { createRateLimits } from '../../server/platform/rate-limits.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createMakeContext } from '../../server/transport/context.ts';
import { createHttpServer } from '../../server/transport/http.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { publicProcedure, router } from '../../server/trpc.ts';
import { serve } from '../support/serve.ts';

const settings = z
  .object({
    REDIS_URL: z.string(),
    MONGODB_URI: z.string(),
    TOKEN_SECRET: z.string(),
    BENCH_PRODUCT: z.string(),
  })
  .parse(process.env);
const log = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
const metrics = createMetrics();
const limitsRedis = connectRedis({ url: settings.REDIS_URL, role: 'limits', log });
const events = connectRedis({ url: settings.REDIS_URL, role: 'events', log });
const store = createCatalogStore(await connectMongo({ uri: settings.MONGODB_URI, log }));
await store.ensureIndexes();
const productReads = {
  memory: metrics.cacheReads.labels({ cache: 'products', by: 'memory' }),
  flight: metrics.cacheReads.labels({ cache: 'products', by: 'flight' }),
  redis: metrics.cacheReads.labels({ cache: 'products', by: 'redis' }),
  mongodb: metrics.cacheReads.labels({ cache: 'products', by: 'mongodb' }),
};
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

const clock = { now: Date.now, stop: () => {} };
const sessions = createSealer({
  kind: 'session',
  secrets: [settings.TOKEN_SECRET],
  schema: sessionTokenSchema,
});
const server = createHttpServer({
  router: router({
    bench: router({ noop: publicProcedure.input(z.strictObject({})).mutation(() => ({ ok: true })) }),
    catalog: createCatalogRouter(catalog),
  }),
  makeContext: createMakeContext({
    authenticate: createAuthenticate({ sessions, clock, staffKeys: [], jwt: null }),
    log,
    metrics,
    rates: createRateLimits(limitsRedis),
    trustProxy: false,
    audit: { append: () => {} },
  }),
  checkOrigin: createOriginCheck([]),
  clock,
  notReady: () => Promise.resolve(null),
  metrics,
  webhook: () => Promise.resolve({ status: 404, body: '' }),
  serveProof: () => Promise.reject(new Error('there are no drops to prove here')),
  paymentOrigins: ['https://js.stripe.com', 'https://api.stripe.com'],
  pagesFolder: '',
  log,
});
serve(server);
