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

export const rows: BenchRow[] = [
  {
    name: 'http-hold',
    question: 'a complete hold, each of another buyer',
    unit: 'requests/s',
    referenceName: 'a no-op through tRPC’s standalone adapter',
    target: { atLeast: 1.5 },
    async prepare() {
      // As an installation has it: stock in one Redis, limits in another.
      const [stockRedis, limitsRedis] = await Promise.all([startEmbeddedRedis(), startEmbeddedRedis()]);
      const [engine, stock] = await Promise.all([
        startChildServer('engine', {
          REDIS_URL: stockRedis.url,
          REDIS_LIMITS_URL: limitsRedis.url,
          TOKEN_SECRET: secret,
        }),
        startChildServer('stock-trpc'),
      ]);
      const drops = openBenchDrops(stockRedis.url);
      const place = async (count: number) => {
        const drop = newBenchDrop();
        await drops.open(drop);
        const calls = await drops.placeCalls(drop, { count, secret });
        return sendEach({ url: `${engine.url}/trpc/hold.place`, calls });
      };
      const noop = (durationSec: number) =>
        repeatCall({
          url: `${stock.url}/trpc/bench.noop`,
          body: '{}',
          answer: '{"result":{"data":{"ok":true}}}',
          durationSec,
        });
      await place(warmUpCount);
      await noop(referenceSec);
      return {
        ours: () => place(holdsCount),
        reference: () => noop(referenceSec),
        async close() {
          await drops.close();
          await Promise.all([engine.stop(), stock.stop()]);
          await Promise.all([stockRedis.dispose(), limitsRedis.dispose()]);
        },
      };
    },
  },
];
