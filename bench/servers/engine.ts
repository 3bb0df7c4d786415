// Holds behind the engine's HTTP side, with real Redis behind them.
import { z } from 'zod';
import { withCoupons } from '../../server/inventory/coupon-holds.ts';
import { createHoldsStore } from '../../server/inventory/holds.store.ts';
import { createInventory } from '../../server/inventory/inventory.ts';
import { createHoldsRouter } from '../../server/inventory/inventory.router.ts';
import { startClock } from '../../server/platform/clock.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import { passSchema } from '../../server/queue/tickets.ts';
import { benchLog, serveEngine } from '../support/serve-engine.ts';

const settings = z
  .object({ REDIS_URL: z.string(), REDIS_LIMITS_URL: z.string(), TOKEN_SECRET: z.string() })
  .parse(process.env);
const stockRedis = connectRedis({ url: settings.REDIS_URL, role: 'stock', log: benchLog });
const limitsRedis = connectRedis({ url: settings.REDIS_LIMITS_URL, role: 'limits', log: benchLog });
const secrets = [settings.TOKEN_SECRET];
const passes = createSealer({ kind: 'pass', secrets, schema: passSchema });
const quotes = createSealer({ kind: 'quote', secrets, schema: quoteSchema });
const run = createLuaRunner(stockRedis, { clock: 'redis' });
const noCoupons = () => Promise.reject(new Error('no cart has a coupon here'));
const store = withCoupons(createHoldsStore({ redis: stockRedis, run }), { take: noCoupons, end: noCoupons });

serveEngine({
  routers: { hold: createHoldsRouter({ inventory: createInventory({ store, passes, quotes }) }) },
  limitsRedis,
  clock: await startClock(stockRedis),
  tokenSecret: settings.TOKEN_SECRET,
  metrics: createMetrics(),
});
