// The engine's way from a change in Redis to a crowd of watchers, and nothing else of it: the feed of the drop, the hub,
// the sockets. The bench changes the drop in the Redis that it was given.
import { createServer } from 'node:http';
import { pino } from 'pino';
import { z } from 'zod';
import { createAuthenticate, sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import { createDropFeeds } from '../../server/drops/feeds.ts';
import { createLiveStore } from '../../server/drops/live.store.ts';
import { dropIdSchema } from '../../server/ids.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createMakeContext } from '../../server/transport/context.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { serveSockets } from '../../server/transport/websocket.ts';
import { publicProcedure, router } from '../../server/trpc.ts';
import { serve } from '../support/serve.ts';

const settings = z.object({ REDIS_URL: z.string(), TOKEN_SECRET: z.string() }).parse(process.env);

const log = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
const metrics = createMetrics();
const clock = { now: () => Date.now(), stop: () => undefined };
const redis = connectRedis({ url: settings.REDIS_URL, role: 'stock', log });
const events = connectRedis({ url: settings.REDIS_URL, role: 'events', log });
const live = createLiveStore({ redis, run: createLuaRunner(redis, { clock: 'test' }) });
const feeds = createDropFeeds({ live, events, log });
const sessions = createSealer({
  kind: 'session',
  secrets: [settings.TOKEN_SECRET],
  schema: sessionTokenSchema,
});
const makeContext = createMakeContext({
  authenticate: createAuthenticate({ sessions, clock, staffKeys: [], jwt: null }),
  log,
  metrics,
  rates: { consume: () => Promise.resolve() },
  trustProxy: false,
  audit: { append: () => undefined },
});
const api = router({
  drop: router({
    watch: publicProcedure
      .input(z.strictObject({ dropId: dropIdSchema, lastEventId: z.string().max(100).optional() }))
      .subscription(({ input, signal }) => feeds.broadcast(input.dropId, signal)),
  }),
});
const server = createServer((_req, res) => void res.end());
serveSockets(server, {
  router: api,
  makeContext,
  checkOrigin: createOriginCheck([]),
  clock,
  metrics,
  trustProxy: false,
  log,
});
serve(server);
