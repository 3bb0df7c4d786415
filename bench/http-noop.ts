// What does our HTTP stack cost? A no-op mutation through all of it (lean adapter, security headers, origin check,
// context, metrics), against tRPC's own adapter without any of that, and against node:http with the same bytes.
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import type { Bench, BenchRow } from './row.ts';
import { startChildServer } from './support/child-server.ts';
import { repeatCall } from './support/load.ts';

const path = '/trpc/bench.noop';
const body = '{}';
const answer = '{"result":{"data":{"ok":true}}}';
const roundSec = 4;
const warmUpSec = 2;

async function prepare(
  startReference: (engineUrl: string) => Promise<{ url: string; stop(): Promise<void> }>,
) {
  const redis = await startEmbeddedRedis();
  const engine = await startChildServer('engine', {
    REDIS_URL: redis.url,
    REDIS_LIMITS_URL: redis.url,
    TOKEN_SECRET: 'a secret for this bench alone',
  });
  const reference = await startReference(engine.url);
  const load = (url: string, durationSec: number) =>
    repeatCall({ url: url + path, body, answer, durationSec });
  await load(engine.url, warmUpSec);
  await load(reference.url, warmUpSec);
  const bench: Bench = {
    ours: () => load(engine.url, roundSec),
    reference: () => load(reference.url, roundSec),
    async close() {
      await Promise.all([engine.stop(), reference.stop()]);
      await redis.dispose();
    },
  };
  return bench;
}

/** Status, headers and body as the engine sends them, except for what node:http adds by itself. */
async function startBare(engineUrl: string) {
  const response = await fetch(engineUrl + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  const own = new Set(['date', 'connection', 'keep-alive']);
  const headers = Object.fromEntries([...response.headers].filter(([name]) => !own.has(name)));
  return startChildServer('bare-http', {
    BENCH_ANSWER: JSON.stringify({ headers, body: await response.text() }),
  });
}

export const rows: BenchRow[] = [
  {
    name: 'http-noop',
    question: 'a no-op mutation through the whole HTTP stack',
    unit: 'requests/s',
    referenceName: 'tRPC’s standalone adapter',
    target: { atLeast: 3.5 },
    prepare: () => prepare(() => startChildServer('stock-trpc')),
  },
  {
    name: 'http-noop-limit',
    question: 'a no-op mutation through the whole HTTP stack',
    unit: 'requests/s',
    referenceName: 'node:http, the same bytes',
    target: { atLeast: 0.5 },
    prepare: () => prepare(startBare),
  },
];
