// The engine's HTTP side as `server/main.ts` puts it together, with real Redis behind it, and of its procedures those
// that are measured. What they do not touch (MongoDB, search, payments) is not there.
import { pino } from 'pino';
import { z } from 'zod';
import { createAuthenticate, sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import { createHoldsStore } from '../../server/inventory/holds.store.ts';
import { createInventory } from '../../server/inventory/inventory.ts';
import { createHoldsRouter } from '../../server/inventory/inventory.router.ts';
import { startClock } from '../../server/platform/clock.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { createRateLimits } from '../../server/platform/rate-limits.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import { passSchema } from '../../server/queue/tickets.ts';
import { createMakeContext } from '../../server/transport/context.ts';
import { createHttpServer } from '../../server/transport/http.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { publicProcedure, router } from '../../server/trpc.ts';
import { serve } from '../support/serve.ts';

const settings = z
  .object({ REDIS_URL: z.string(), REDIS_LIMITS_URL: z.string(), TOKEN_SECRET: z.string() })
  .parse(process.env);
const log = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
const metrics = createMetrics();
const stockRedis = connectRedis({ url: settings.REDIS_URL, role: 'stock', log });
const limitsRedis = connectRedis({ url: settings.REDIS_LIMITS_URL, role: 'limits', log });
const clock = await startClock(stockRedis);
const secrets = [settings.TOKEN_SECRET];
const sessions = createSealer({ kind: 'session', secrets, schema: sessionTokenSchema, remember: true });
const passes = createSealer({ kind: 'pass', secrets, schema: passSchema });
const quotes = createSealer({ kind: 'quote', secrets, schema: quoteSchema });
const run = createLuaRunner(stockRedis, { clock: 'redis' });
const inventory = createInventory({ store: createHoldsStore({ redis: stockRedis, run }), passes, quotes });

const server = createHttpServer({
  router: router({
    bench: router({ noop: publicProcedure.input(z.strictObject({})).mutation(() => ({ ok: true })) }),
    hold: createHoldsRouter({ inventory }),
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
