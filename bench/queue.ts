// Does the queue cost more the longer it is? Redis' own time for one call, at 1,000,000 tickets against 1,000; and what
// a ticket takes of its memory. Tickets are put in place as `queue-join` leaves them, by one script, except where their
// memory is counted: there each of them has joined.
import { randomBytes } from 'node:crypto';
import type { Drop } from '../server/drops/drop.ts';
import { newBuyerId } from '../server/ids.ts';
import { dropKey } from '../server/platform/keys.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import { inGeneral, openEngine, skuOf, type Engine } from '../test/support/engine.ts';
import type { Bench, BenchRow } from './row.ts';
import { buyerOf, fillLobby } from './support/lobby.ts';

const many = 1_000_000;
const few = 1_000;
const inFlightCount = 200;

const settings: Partial<Drop> = {
  ratePerSec: 10_000,
  activeMax: 100_000,
  items: [
    {
      sku: skuOf('sku-a'),
      title: 'A',
      price: { amount: 100, currency: 'EUR' },
      total: 200_000,
      withdrawn: 0,
    },
  ],
};

/** Redis' time for one script of those that `work` runs, in µs. */
async function scriptTime(engine: Engine, work: () => Promise<void>): Promise<number> {
  await engine.redis.config('RESETSTAT');
  await work();
  const stats = await engine.redis.info('commandstats');
  let calls = 0;
  let usec = 0;
  for (const [, callsText, usecText] of stats.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+),usec=(\d+)/gm)) {
    calls += Number(callsText);
    usec += Number(usecText);
  }
  if (calls === 0) throw new Error('no script was run');
  return usec / calls;
}

async function inBatches(count: number, act: (index: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < count; from += inFlightCount) {
    const batch = Math.min(inFlightCount, count - from);
    await Promise.all(Array.from({ length: batch }, (_, index) => act(from + index)));
  }
}

/** One side: a queue of so many tickets, in which one round of a row's work is timed. */
type Round = (engine: Engine, drop: Drop, round: number) => Promise<number>;

/** Long and short queue in one Redis. A round changes the queue a little; what is short is made anew for each. */
async function prepareGrowth(round: Round, say: (line: string) => void): Promise<Bench> {
  const redis = await startEmbeddedRedis({ maxmemory: '2gb' });
  const engine = openEngine(redis.url);
  const long = await engine.load(settings);
  await fillLobby(engine, long, many);
  let rounds = 0;
  const ours = async () => round(engine, long, rounds++);
  const reference = async () => {
    const short = await engine.load(settings);
    await fillLobby(engine, short, few);
    return round(engine, short, 0);
  };
  say(`${many.toLocaleString('en-US')} tickets are in place`);
  await ours();
  await reference();
  return {
    ours,
    reference,
    async close() {
      await engine.close();
      await redis.dispose();
    },
  };
}

const timeJoins: Round = (engine, drop) =>
  scriptTime(engine, () => inBatches(200, () => engine.queue.join(drop.dropId, newBuyerId())));

/** A proposal and its effect, the mean of the two. At one call a second the two sides do the same work. */
const timeAdmissions: Round = async (engine, drop) => {
  const clockKey = dropKey(drop.dropId, 'clock');
  const fromMs = Number(await engine.redis.get(clockKey));
  await engine.live.load({ ...drop, ratePerSec: 1 });
  return scriptTime(engine, async () => {
    for (let calls = 1; calls <= 100; calls += 1) {
      await engine.setAheadMs(drop, fromMs + calls * 1_000);
      const called = await engine.admit(drop);
      if (called !== 1) throw new Error(`${called} were called, not one`);
    }
  });
};

const claimsCount = 400;
const timeClaims: Round = async (engine, drop) => {
  const from = (await engine.live.look(drop.dropId))?.lanes[0]?.serving ?? 0;
  let called = 0;
  while (called < claimsCount) {
    const count = await engine.admit(drop);
    if (count === 0) throw new Error('nobody could be called');
    called += count;
  }
  return scriptTime(engine, () =>
    inBatches(claimsCount, async index => {
      const arrival = from + index;
      const claim = await engine.queue.claim(drop.dropId, buyerOf(arrival), inGeneral(arrival));
      if (claim.kind !== 'called') throw new Error(`a claim was answered ${claim.kind}`);
    }),
  );
};

const growthRow = (name: string, question: string, round: Round): BenchRow => ({
  name,
  question,
  unit: 'µs of Redis a call',
  referenceName: 'the same at 1,000 tickets',
  target: { atMost: 2 },
  prepare: say => prepareGrowth(round, say),
});

export const rows: BenchRow[] = [
  growthRow('queue-growth-join', 'queue-join at 1,000,000 tickets', timeJoins),
  growthRow('queue-growth-admit', 'queue-admit and queue-call at 1,000,000 tickets', timeAdmissions),
  growthRow('queue-growth-claim', 'queue-claim at 1,000,000 tickets', timeClaims),
  {
    name: 'queue-memory',
    question: 'Redis bytes for each of 1,000,000 tickets, everything counted',
    unit: 'bytes a ticket',
    referenceName: 'a bare hash of 16-byte fields with 8-byte values',
    target: { atMost: 1.6 },
    // Memory does not vary from round to round: each round reads what was put in place once.
    async prepare(say) {
      const redis = await startEmbeddedRedis({ maxmemory: '2gb' });
      const engine = openEngine(redis.url);
      const usedBytes = async () => Number(/used_memory:(\d+)/.exec(await engine.redis.info('memory'))?.[1]);
      const drop = await engine.load({
        ...settings,
        mode: 'shuffle',
        opensAtMs: Date.now() + 24 * 3_600_000,
      });
      const emptyBytes = await usedBytes();
      for (let joined = 0; joined < many; joined += 100_000) {
        await inBatches(100_000, () => engine.queue.join(drop.dropId, newBuyerId()));
        say(`${(joined + 100_000).toLocaleString('en-US')} have joined`);
      }
      const joinedBytes = await usedBytes();
      for (let from = 0; from < many; from += 10_000) {
        const pipeline = engine.redis.pipeline();
        for (let index = 0; index < 10_000; index += 1)
          pipeline.hset('bare', randomBytes(16), randomBytes(8));
        await pipeline.exec();
      }
      const bareBytes = await usedBytes();
      return {
        ours: async () => (joinedBytes - emptyBytes) / many,
        reference: async () => (bareBytes - joinedBytes) / many,
        async close() {
          await engine.close();
          await redis.dispose();
        },
      };
    },
  },
  {
    name: 'lobby-open',
    question: 'freezing and opening a lobby of 1,000,000',
    unit: 'µs of Redis',
    referenceName: 'the same for 1,000',
    target: { atMost: 2 },
    async prepare(say) {
      const redis = await startEmbeddedRedis({ maxmemory: '2gb' });
      const engine = openEngine(redis.url);
      const key = randomBytes(32).toString('base64url');
      const openLobby = async (count: number) => {
        await engine.redis.flushall();
        const drop = await engine.load({ ...settings, mode: 'shuffle', opensAtMs: Date.now() + 60_000 });
        await fillLobby(engine, drop, count);
        const usec = await scriptTime(engine, async () => {
          await engine.setAheadMs(drop, 59_500);
          await engine.live.open(drop.dropId, '');
          await engine.setAheadMs(drop, 61_000);
          await engine.live.open(drop.dropId, key);
        });
        const view = await engine.live.look(drop.dropId);
        if (view?.state !== 'open' || view.lanes[0]?.lobbySize !== count) throw new Error('it did not open');
        return usec;
      };
      say('each round fills its lobby anew');
      await openLobby(few);
      return {
        ours: () => openLobby(many),
        reference: () => openLobby(few),
        async close() {
          await engine.close();
          await redis.dispose();
        },
      };
    },
  },
];
