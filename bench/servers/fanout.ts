// Three servers that tell a crowd the same: ours, tRPC's own adapter, and `ws` in a bare loop. They are steered over
// HTTP: `POST /say` tells the crowd something new, `GET /usage` answers what the process has cost so far.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import { z } from 'zod';
import { dropWatchOutput, type DropWatch } from '../../server/drops/drop-schemas.ts';
import { createAuthenticate, sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import { dropIdSchema } from '../../server/ids.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createBroadcast, type Channel } from '../../server/realtime/broadcast.ts';
import { createMakeContext } from '../../server/transport/context.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { serveSockets } from '../../server/transport/websocket.ts';
import { publicProcedure, router } from '../../server/trpc.ts';
import { serve } from '../support/serve.ts';

const settings = z
  .object({ BENCH_SIDE: z.enum(['ours', 'stock', 'bare']), TOKEN_SECRET: z.string() })
  .parse(process.env);

setFlagsFromString('--expose-gc');
const collectGarbage: unknown = runInNewContext('gc');

// A drop as it is watched: three lanes, two articles.
let number = 0;
const watchNow = (): DropWatch =>
  dropWatchOutput.parse({
    state: 'open',
    key: 'BENCHBENCHBENCHBENCHBENCHBENCHBENCHBENCHBEN',
    lanes: ['priority', 'general', 'late'].map(lane => ({
      lane,
      lobbySize: 5_000,
      arrived: 5_000,
      serving: number,
      callsPerMin: 600,
    })),
    items: ['sneaker-42', 'sneaker-43'].map(sku => ({ sku, availability: 'available', available: number })),
    serverTimeMs: 1_760_000_000_000 + number,
  });
const listeners = new Set<() => void>();
const channel = {
  latest: { id: '0:0', data: watchNow() },
  listen(listener: () => void) {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  },
  retain: () => () => undefined,
} satisfies Channel<DropWatch>;

const log = pino({ level: 'warn' }, pino.destination({ dest: 2, sync: true }));
const metrics = createMetrics();
const clock = { now: () => Date.now(), stop: () => undefined };
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
      .subscription(async ({ signal }) => createBroadcast(channel, signal)),
  }),
});

/** Collects until what is left is what is used: how much room V8 keeps for later differs from run to run. */
const settle = async () => {
  if (typeof collectGarbage !== 'function') throw new Error('there is no way to collect garbage');
  for (let time = 0; time < 2; time += 1) {
    collectGarbage({ type: 'major', execution: 'sync', flavor: 'last-resort' });
    // Pages are given back to the system by threads of V8's own.
    await new Promise(resolve => setTimeout(resolve, 500));
  }
};

const answer = async (req: IncomingMessage, res: ServerResponse) => {
  if (req.url === '/say') {
    number += 1;
    channel.latest = { id: `0:${number}`, data: watchNow() };
    for (const listener of listeners) listener();
    res.end();
    return;
  }
  if (req.url === '/settled') await settle();
  const { user, system } = process.cpuUsage();
  res.end(JSON.stringify({ cpuUs: user + system, rssBytes: process.memoryUsage.rss() }));
};
const server = createServer((req, res) => void answer(req, res));

switch (settings.BENCH_SIDE) {
  case 'ours':
    serveSockets(server, {
      router: api,
      makeContext,
      checkOrigin: createOriginCheck([]),
      clock,
      metrics,
      trustProxy: false,
      log,
    });
    break;
  case 'stock':
    applyWSSHandler({
      wss: new WebSocketServer({ server, perMessageDeflate: false }),
      router: api,
      createContext: ({ req, info }) => makeContext(req, info.connectionParams?.['token'] ?? null),
    });
    break;
  case 'bare': {
    const sockets = new WebSocketServer({ server, perMessageDeflate: false });
    const bytesNow = () => {
      const { id, data } = channel.latest;
      return Buffer.from(
        JSON.stringify({ id: 1, result: { type: 'data', data: { id, data }, id } satisfies object }),
      );
    };
    sockets.on('connection', socket => {
      socket.on('error', () => undefined);
      // What a client sends is read, and the answers that it waits for are sent: no more is done for it.
      socket.once('message', () => {
        socket.send('{"id":1,"result":{"type":"started"}}');
        socket.send(bytesNow(), { binary: false });
      });
    });
    listeners.add(() => {
      const bytes = bytesNow();
      for (const socket of sockets.clients) socket.send(bytes, { binary: false });
    });
  }
}
serve(server);
