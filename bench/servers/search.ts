// The engine's HTTP side with `search.*` behind it, as `server/main.ts` puts it together, over a search service and a
// catalog that are there.
import { pino } from 'pino';
import { z } from 'zod';
import { createAuthenticate, sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import { createRateLimits } from '../../server/platform/rate-limits.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createSearchRouter } from '../../server/search/search.router.ts';
import { createSearch } from '../../server/search/search.ts';
import { createMakeContext } from '../../server/transport/context.ts';
import { createHttpServer } from '../../server/transport/http.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { router } from '../../server/trpc.ts';
import { serve } from '../support/serve.ts';

const settings = z
  .object({
    REDIS_LIMITS_URL: z.string(),
    TOKEN_SECRET: z.string(),
    TYPESENSE_URL: z.string(),
    TYPESENSE_API_KEY: z.string(),
  })
  .parse(process.env);
const log = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
const metrics = createMetrics();
const sessions = createSealer({
  kind: 'session',
  secrets: [settings.TOKEN_SECRET],
  schema: sessionTokenSchema,
});
const search = createSearch({
  typesense: { url: settings.TYPESENSE_URL, apiKey: settings.TYPESENSE_API_KEY },
  // A degraded answer is not what is to be measured.
  catalog: { browse: () => Promise.reject(new Error('the search service did not answer')) },
  log,
});
const clock = { now: Date.now, stop: () => {} };
serve(
  createHttpServer({
    clock,
    router: router({
      search: createSearchRouter(search, () => Promise.resolve({ kind: 'not-offered' as const })),
    }),
    makeContext: createMakeContext({
      authenticate: createAuthenticate({
        sessions,
        clock,
        staffKeys: [],
        jwt: null,
      }),
      log,
      metrics,
      rates: createRateLimits(connectRedis({ url: settings.REDIS_LIMITS_URL, role: 'limits', log })),
      trustProxy: false,
      audit: { append: () => {} },
    }),
    checkOrigin: createOriginCheck([]),
    notReady: () => Promise.resolve(null),
    metrics,
    webhook: () => Promise.resolve({ status: 404, body: '' }),
    serveProof: () => Promise.reject(new Error('there are no drops to prove here')),
    paymentOrigins: [],
    pagesFolder: '',
    log,
  }),
);
