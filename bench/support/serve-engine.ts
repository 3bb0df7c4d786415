// The engine's HTTP side as `server/main.ts` puts it together, around the procedures that a bench measures, and beside
// them a mutation that does nothing. What they do not touch is not there.
import type { Redis } from 'ioredis';
import { pino } from 'pino';
import { z } from 'zod';
import { createAuthenticate, sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import type { Clock } from '../../server/platform/clock.ts';
import { createRateLimits } from '../../server/platform/rate-limits.ts';
import { createSealer } from '../../server/platform/seal.ts';
import type { Metrics } from '../../server/platform/telemetry.ts';
import { createMakeContext } from '../../server/transport/context.ts';
import { createHttpServer } from '../../server/transport/http.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { publicProcedure, router } from '../../server/trpc.ts';
import { serve } from './serve.ts';

export const benchLog = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));

export function serveEngine(options: {
  routers: Parameters<typeof router>[0];
  limitsRedis: Redis;
  clock: Clock;
  tokenSecret: string;
  metrics: Metrics;
}): void {
  const { routers, limitsRedis, clock, tokenSecret, metrics } = options;
  const sessions = createSealer({
    kind: 'session',
    secrets: [tokenSecret],
    schema: sessionTokenSchema,
    remember: true,
  });
  const server = createHttpServer({
    router: router({
      ...routers,
      bench: router({ noop: publicProcedure.input(z.strictObject({})).mutation(() => ({ ok: true })) }),
    }),
    makeContext: createMakeContext({
      authenticate: createAuthenticate({ sessions, clock, staffKeys: [], jwt: null }),
      log: benchLog,
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
    log: benchLog,
  });
  serve(server);
}
