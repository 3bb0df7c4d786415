// What does a hold cost, all of it? `hold.place` with token, pass, quote, schemas, rate limit and script, each call a
// new hold of another buyer and each answered `held`, against a no-op through tRPC's own adapter.
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import type { BenchRow } from './row.ts';
import { startChildServer, type ChildServer } from './support/child-server.ts';
import { countCpu } from './support/cpu-time.ts';
import { newBenchDrop, openBenchDrops } from './support/hold-drop.ts';
import { repeatCall, sendEach } from './support/load.ts';

const secret = 'a secret for this bench alone';
const holdsCount = 40_000;
/** So many until the compiler has settled: a first round of fewer measured the compiler. */
const warmUpCount = 20_000;
const referenceSec = 4;

type Say = (line: string) => void;

/** One Redis for the stock and one for the limits, as an installation has them. */
async function startEngine(say: Say) {
  const [stockRedis, limitsRedis] = await Promise.all([startEmbeddedRedis(), startEmbeddedRedis()]);
  const engine = await startChildServer('engine', {
    REDIS_URL: stockRedis.url,
    REDIS_LIMITS_URL: limitsRedis.url,
    TOKEN_SECRET: secret,
  });
  const drops = openBenchDrops(stockRedis.url);
  /** Holds of a drop of their own, through the engine or through another server on the same Redis. */
  const placeAt = async (server: Pick<ChildServer, 'url' | 'pid'>, count: number) => {
    const drop = newBenchDrop();
    await drops.open(drop);
    const calls = await drops.placeCalls(drop, { count, secret });
    const cpuOf = countCpu({
      server: server.pid,
      'Redis of the stock': stockRedis.pid(),
      'Redis of the rates': limitsRedis.pid(),
      load: process.pid,
    });
    const rate = await sendEach({ url: `${server.url}/trpc/hold.place`, calls });
    say(`processor time of a hold, µs: ${cpuOf(count)}`);
    return rate;
  };
  return {
    stockUrl: stockRedis.url,
    placeAt,
    place: (count: number) => placeAt(engine, count),
    async close() {
      await drops.close();
      await engine.stop();
      await Promise.all([stockRedis.dispose(), limitsRedis.dispose()]);
    },
  };
}

export const rows: BenchRow[] = [
  {
    name: 'http-hold',
    question: 'a complete hold, each of another buyer',
    unit: 'requests/s',
    referenceName: 'a no-op through tRPC’s standalone adapter',
    target: { atLeast: 1.5 },
    async prepare(say) {
      const [engine, stock] = await Promise.all([startEngine(say), startChildServer('stock-trpc')]);
      const noop = async (durationSec: number) => {
        const cpuOf = countCpu({ 'server of the reference': stock.pid, load: process.pid });
        const rate = await repeatCall({
          url: `${stock.url}/trpc/bench.noop`,
          body: '{}',
          answer: '{"result":{"data":{"ok":true}}}',
          durationSec,
        });
        say(`processor time of a no-op, µs: ${cpuOf(rate * durationSec)}`);
        return rate;
      };
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
    async prepare(say) {
      const engine = await startEngine(say);
      const bare = await startChildServer('bare-hold', { REDIS_URL: engine.stockUrl });
      await engine.place(warmUpCount);
      await engine.placeAt(bare, warmUpCount);
      return {
        ours: () => engine.place(holdsCount),
        reference: () => engine.placeAt(bare, holdsCount),
        async close() {
          await bare.stop();
          await engine.close();
        },
      };
    },
  },
];
