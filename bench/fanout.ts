// What does it cost to tell a crowd? CPU for each delivered message of `drop.watch`, and memory for each subscriber,
// as each server counts its own, with 5,000 subscribers who speak the protocol of `@trpc/client`.
import { z } from 'zod';
import { sessionTokenSchema } from '../server/buyers/authenticate.ts';
import { newBuyerId } from '../server/ids.ts';
import { createSealer } from '../server/platform/seal.ts';
import type { Bench, BenchRow } from './row.ts';
import { startChildServer, type ChildServer } from './support/child-server.ts';
import { gatherCrowd, type Crowd } from './support/crowd.ts';

type Side = 'ours' | 'stock' | 'bare';

const subscribersCount = 5_000;
const ticksCount = 20;
const warmUpTicksCount = 10;
const secret = 'a secret for this bench alone';
const usageSchema = z.object({ cpuUs: z.number(), rssBytes: z.number() });

const sessions = createSealer({ kind: 'session', secrets: [secret], schema: sessionTokenSchema });
const tokenOf = () => sessions.seal({ buyerId: newBuyerId(), expiresAtMs: Date.now() + 3_600_000 });

const startSide = (side: Side) => startChildServer('fanout', { BENCH_SIDE: side, TOKEN_SECRET: secret });
const gather = (server: ChildServer, count = subscribersCount) =>
  gatherCrowd({ url: server.url, count, tokenOf });
const usage = async (server: ChildServer, path: '/usage' | '/settled') =>
  usageSchema.parse(await (await fetch(server.url + path)).json());

async function tell(server: ChildServer, crowd: Crowd, count: number): Promise<void> {
  for (let tick = 0; tick < count; tick += 1) {
    await (await fetch(`${server.url}/say`, { method: 'POST' })).text();
    await crowd.told();
  }
}

async function prepareCpu(reference: Side, say: (line: string) => void): Promise<Bench> {
  const open: { server: ChildServer; crowd: Crowd }[] = [];
  const start = async (side: Side) => {
    const server = await startSide(side);
    const crowd = await gather(server);
    open.push({ server, crowd });
    await tell(server, crowd, warmUpTicksCount);
    say(`${subscribersCount} subscribers of ${side}`);
    return async () => {
      const before = await usage(server, '/usage');
      await tell(server, crowd, ticksCount);
      const after = await usage(server, '/usage');
      return (after.cpuUs - before.cpuUs) / (ticksCount * subscribersCount);
    };
  };
  const close = async () => {
    for (const { server, crowd } of open) {
      await crowd.leave();
      await server.stop();
    }
  };
  try {
    return { ours: await start('ours'), reference: await start(reference), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A process keeps what it once had: each round of memory has a new one. */
async function measureMemory(side: Side): Promise<number> {
  const server = await startSide(side);
  try {
    const first = await gather(server, 100);
    await tell(server, first, 3);
    await first.leave();
    const before = await usage(server, '/settled');
    const crowd = await gather(server);
    await tell(server, crowd, 5);
    const after = await usage(server, '/settled');
    await crowd.leave();
    return (after.rssBytes - before.rssBytes) / subscribersCount;
  } finally {
    await server.stop();
  }
}

export const rows: BenchRow[] = [
  {
    name: 'fanout-cpu',
    question: 'CPU for each delivered message of drop.watch, 5,000 subscribers',
    unit: 'µs',
    referenceName: 'a bare ws loop, the same bytes',
    target: { atMost: 1.25 },
    prepare: say => prepareCpu('bare', say),
  },
  {
    name: 'fanout-stock',
    question: 'CPU for each delivered message of drop.watch, 5,000 subscribers',
    unit: 'µs',
    referenceName: 'tRPC’s WebSocket adapter',
    target: { atMost: 0.35 },
    prepare: say => prepareCpu('stock', say),
  },
  {
    name: 'fanout-memory',
    question: 'resident bytes for each subscriber, 5,000 of them',
    unit: 'bytes',
    referenceName: 'a bare ws connection',
    target: { atMost: 1.6 },
    prepare: () =>
      Promise.resolve({
        ours: () => measureMemory('ours'),
        reference: () => measureMemory('bare'),
        close: () => Promise.resolve(),
      }),
  },
];
