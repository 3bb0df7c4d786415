// How soon does a lobby of a million know its order? From the opening until the last of 5,000 watchers has computed its
// rank, against one plain tick to the same watchers. Both are one change in Redis, told by the feed, the hub and the
// sockets of a server of its own; a rank costs each watcher its own arithmetic on top, as each is another page.
import { randomBytes } from 'node:crypto';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { lobbyRanks } from '../client/fairness/permutation.ts';
import { sessionTokenSchema } from '../server/buyers/authenticate.ts';
import { newBuyerId } from '../server/ids.ts';
import { dropKey } from '../server/platform/keys.ts';
import { createSealer } from '../server/platform/seal.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import { openEngine } from '../test/support/engine.ts';
import type { BenchRow } from './row.ts';
import { startChildServer } from './support/child-server.ts';
import { fillLobby } from './support/lobby.ts';

const lobbySize = 1_000_000;
const watchersCount = 5_000;
const connectAtOnceCount = 200;
/** Between two changes: the second must not wait for the tick of the first. */
const apartMs = 400;
const secret = 'a secret for this bench alone';
const sessions = createSealer({ kind: 'session', secrets: [secret], schema: sessionTokenSchema });

const frameSchema = z.object({
  result: z.object({
    type: z.literal('data'),
    data: z.object({
      data: z.object({
        state: z.string(),
        key: z.string().optional(),
        message: z.string().optional(),
        lanes: z.array(z.object({ lane: z.string(), lobbySize: z.number() })),
      }),
    }),
  }),
});
type Watch = z.infer<typeof frameSchema>['result']['data']['data'];

/** What all of the watchers wait for: each is counted once, when `sees` first answers with something. */
interface Wanted {
  readonly sees: (watch: Watch, watcher: number) => number | null;
  readonly seen: Map<number, number>;
  readonly all: PromiseWithResolvers<void>;
}

export const rows: BenchRow[] = [
  {
    name: 'lobby-known',
    question: 'from opening a lobby of 1,000,000 until the last of 5,000 watchers knows its rank',
    unit: 'ms',
    referenceName: 'one tick of drop.watch to the same watchers',
    target: { atMost: 2 },
    async prepare(say) {
      const redis = await startEmbeddedRedis({ maxmemory: '2gb' });
      const engine = openEngine(redis.url);
      const opensAtMs = Date.now() + 60_000;
      const drop = await engine.load({ mode: 'shuffle', opensAtMs });
      await fillLobby(engine, drop, lobbySize);
      const server = await startChildServer('lobby', { REDIS_URL: redis.url, TOKEN_SECRET: secret });
      const sockets: WebSocket[] = [];
      let wanted: Wanted | null = null;
      let broken: Error | null = null;
      const hear = (text: string, watcher: number) => {
        if (wanted === null || wanted.seen.has(watcher)) return;
        const seen = wanted.sees(frameSchema.parse(JSON.parse(text)).result.data.data, watcher);
        if (seen === null) return;
        wanted.seen.set(watcher, seen);
        if (wanted.seen.size === watchersCount) wanted.all.resolve();
      };
      const connect = (watcher: number) => {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        const socket = new WebSocket(`${server.url.replace('http', 'ws')}/trpc?connectionParams=1`, {
          perMessageDeflate: false,
        });
        sockets.push(socket);
        let frames = 0;
        socket.on('open', () => {
          const token = sessions.seal({ buyerId: newBuyerId(), expiresAtMs: Date.now() + 3_600_000 });
          socket.send(JSON.stringify({ method: 'connectionParams', data: { token } }));
          const params = { path: 'drop.watch', input: { dropId: drop.dropId } };
          socket.send(JSON.stringify({ id: 1, method: 'subscription', params }));
        });
        socket.on('message', (data: Buffer) => {
          frames += 1;
          // The first says that it has started, the second how the drop is now.
          if (frames === 2) resolve();
          if (frames > 2) hear(data.toString(), watcher);
        });
        const fail = (what: string) => {
          broken ??= new Error(`watcher ${watcher}: ${what}`);
          reject(broken);
          wanted?.all.reject(broken);
        };
        socket.on('error', error => fail(error.message));
        socket.on('close', code => fail(`closed with ${code}`));
        return promise;
      };
      const close = async () => {
        for (const socket of sockets) {
          socket.removeAllListeners('close').removeAllListeners('error');
          socket.on('error', () => undefined).terminate();
        }
        await server.stop();
        await engine.close();
        await redis.dispose();
      };
      /** From the change until the last watcher has seen what it is for. */
      const timeUntil = async (sees: Wanted['sees'], change: () => Promise<unknown>) => {
        await new Promise(resolve => setTimeout(resolve, apartMs));
        if (broken) throw broken;
        wanted = { sees, seen: new Map(), all: Promise.withResolvers() };
        const { seen, all } = wanted;
        const fromMs = performance.now();
        await Promise.all([change(), all.promise]);
        const tookMs = performance.now() - fromMs;
        wanted = null;
        return { tookMs, seen };
      };
      /** The lobby before its opening, with all of its tickets: only the drop's own fields are made anew. */
      const closeLobby = async () => {
        await engine.redis.del(dropKey(drop.dropId, 'drop'));
        await engine.live.load(drop);
        await engine.redis.hset(dropKey(drop.dropId, 'queue'), 'general/arrived', lobbySize);
        await engine.setAheadMs(drop, opensAtMs - Date.now() - 500);
        const { frozen, lobbySize: size } = await engine.live.open(drop.dropId, '');
        if (!frozen || size !== lobbySize)
          throw new Error('the lobby was not frozen with all of its tickets');
        await engine.setAheadMs(drop, opensAtMs - Date.now() + 1_000);
      };
      try {
        await closeLobby();
        for (let from = 0; from < watchersCount; from += connectAtOnceCount) {
          const count = Math.min(connectAtOnceCount, watchersCount - from);
          await Promise.all(Array.from({ length: count }, (_, offset) => connect(from + offset)));
        }
        say(`${watchersCount.toLocaleString('en-US')} watch a lobby of ${lobbySize.toLocaleString('en-US')}`);
      } catch (error) {
        await close();
        throw error;
      }
      const open = async () => {
        const key = randomBytes(32).toString('base64url');
        await closeLobby();
        const { tookMs, seen } = await timeUntil(
          (watch, watcher) => {
            const lane = watch.lanes.find(each => each.lane === 'general');
            if (watch.state !== 'open' || watch.key !== key || !lane) return null;
            return lobbyRanks({ key: watch.key, lane: lane.lane, size: lane.lobbySize })(watcher * 200);
          },
          () => engine.live.open(drop.dropId, key),
        );
        if (new Set(seen.values()).size !== watchersCount) throw new Error('two watchers have one rank');
        return tookMs;
      };
      const tick = async () => {
        const message = randomBytes(8).toString('hex');
        const { tookMs } = await timeUntil(
          watch => (watch.message === message ? 0 : null),
          () => engine.live.steer(drop.dropId, { action: 'message', message }),
        );
        return tookMs;
      };
      await open();
      await tick();
      return { ours: open, reference: tick, close };
    },
  },
];
