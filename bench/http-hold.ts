// What does a hold cost, all of it? `hold.place` with token, pass, quote, schemas, rate limit and script, each call a
// new hold of another buyer and each answered `held`, against a no-op through tRPC's own adapter.
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import type { BenchRow } from './row.ts';
import { startChildServer } from './support/child-server.ts';
import { newBenchDrop, openBenchDrops } from './support/hold-drop.ts';
import { repeatCall, sendEach } from './support/load.ts';

const secret = 'a secret for this bench alone';
const holdsCount = 40_000;
/** So many until the compiler has settled: a first round of fewer measured the compiler. */
const warmUpCount = 20_000;
const referenceSec = 4;

/** One Redis for the stock and one for the limits, as an installation has them. */
async function startEngine() {
  const [stockRedis, limitsRedis] = await Promise.all([startEmbeddedRedis(), startEmbeddedRedis()]);
  const engine = await startChildServer('engine', {
    REDIS_URL: stockRedis.url,
    REDIS_LIMITS_URL: limitsRedis.url,
    TOKEN_SECRET: secret,
  });
  const drops = openBenchDrops(stockRedis.url);
  return {
    stockUrl: stockRedis.url,
    place: placer(drops, engine.url),
    placeAt: (url: string) => placer(drops, url),
    async close() {
      await drops.close();
      await engine.stop();
      await Promise.all([stockRedis.dispose(), limitsRedis.dispose()]);
    },
  };
}

const placer = (drops: ReturnType<typeof openBenchDrops>, url: string) => async (count: number) => {
  const drop = newBenchDrop();
  await drops.open(drop);
  const calls = await drops.placeCalls(drop, { count, secret });
  return sendEach({ url: `${url}/trpc/hold.place`, calls });
};

export const rows: BenchRow[] = [
  {
    name: 'http-hold',
    question: 'a complete hold, each of another buyer',
    unit: 'requests/s',
    referenceName: 'a no-op through tRPC’s standalone adapter',
    target: { atLeast: 1.5 },
    async prepare() {
      const [engine, stock] = await Promise.all([startEngine(), startChildServer('stock-trpc')]);
      const noop = (durationSec: number) =>
        repeatCall({
          url: `${stock.url}/trpc/bench.noop`,
          body: '{}',
          answer: '{"result":{"data":{"ok":true}}}',
          durationSec,
        });
      await engine.place(warmUpCount);
      await noop(referenceSec);
      return {
        ours: () => engine.place(holdsCount),
        reference: () => noop(referenceSec),
        async close() {
          await Promise.all([engine.close(), stock.stop()]);
        },
      };
    },
  },
  {
    name: 'http-hold-limit',
    question: 'a complete hold, each of another buyer',
    unit: 'requests/s',
    referenceName: 'node:http and the bare script in the same Redis',
    target: { atLeast: 0.5 },
    async prepare() {
      const engine = await startEngine();
      const bare = await startChildServer('bare-hold', { REDIS_URL: engine.stockUrl });
      const placeBare = engine.placeAt(bare.url);
      await engine.place(warmUpCount);
      await placeBare(warmUpCount);
      return {
        ours: () => engine.place(holdsCount),
        reference: () => placeBare(holdsCount),
        async close() {
          await bare.stop();
          await engine.close();
        },
      };
    },
  },
];
