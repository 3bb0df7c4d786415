// A lobby of a million real tickets, joined, committed, opened, drained and proven in one run, on a real Redis and the
// embedded MongoDB, through the scripts and parts that the engine itself runs. Prints the time and the memory of each
// step.
//
//   node scripts/run.js scripts/lobby-million.ts [--tickets N] [--json FILE]
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { cpus } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pino } from 'pino';
import { seedHash, ticketLeaf } from '../client/fairness/commitments.ts';
import { lobbyRanks } from '../client/fairness/permutation.ts';
import { createFairness } from '../server/fairness/fairness.ts';
import { createLeavesStore } from '../server/fairness/leaves.store.ts';
import { createLobbyStore } from '../server/fairness/lobby.store.ts';
import { createServeProof } from '../server/fairness/proof-download.ts';
import { buyerIdSchema, skuSchema, type BuyerId } from '../server/ids.ts';
import { connectMongo } from '../server/platform/mongo.ts';
import { createAdmission } from '../server/queue/admission.ts';
import { createCallLog } from '../server/queue/call-log.store.ts';
import { startEmbeddedMongo } from '../test/support/embedded-mongo.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import { openEngine } from '../test/support/engine.ts';

const { values } = parseArgs({
  options: { tickets: { type: 'string', default: '1000000' }, json: { type: 'string' } },
});
const ticketsCount = Number(values.tickets);
if (!Number.isInteger(ticketsCount) || ticketsCount < 1) throw new Error('--tickets must be a whole number');
/** Calls of Redis under way at once; they travel in pipelines. */
const inFlightCount = 2_000;
const conductorEveryMs = 200;
const hourMs = 3_600_000;

const log = pino({ level: 'warn' });
const results: { step: string; seconds: number; redisMiB: number; note: string }[] = [];
const [redis, mongo] = await Promise.all([startEmbeddedRedis(), startEmbeddedMongo()]);
const connection = await connectMongo({ uri: `${mongo.uri}/lobby-million`, log });
const engine = openEngine(redis.url);
const lobbies = createLobbyStore(connection);
const callLog = createCallLog(connection);
await Promise.all([lobbies.ensureIndexes(), callLog.ensureIndexes()]);
const fairness = createFairness({
  leaves: createLeavesStore(engine.redis),
  lobbies,
  look: dropId => engine.live.look(dropId),
  lastCall: dropId => callLog.last(dropId),
  fetchBeacon: async () => null,
  log,
});
const admit = createAdmission({
  store: engine.queue,
  log: callLog,
  logger: log,
  putRight: () => Promise.resolve(),
});

async function redisBytes(): Promise<number> {
  const info = await engine.redis.info('memory');
  return Number(info.match(/^used_memory:(\d+)/m)?.[1]);
}
async function measured<T>(step: string, act: () => Promise<T>, note: (result: T) => string): Promise<T> {
  const startedAt = performance.now();
  const result = await act();
  const seconds = (performance.now() - startedAt) / 1_000;
  const redisMiB = (await redisBytes()) / 2 ** 20;
  const row = { step, seconds, redisMiB, note: note(result) };
  results.push(row);
  process.stdout.write(
    `${step.padEnd(28)} ${seconds.toFixed(3).padStart(9)} s  ${redisMiB.toFixed(1).padStart(7)} MiB  ${row.note}\n`,
  );
  return result;
}
/** Does something for 0 … count − 1, a bounded number at once. */
async function each(count: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let from = 0; from < count; from += inFlightCount) {
    const some = Math.min(inFlightCount, count - from);
    await Promise.all(Array.from({ length: some }, (_, index) => act(from + index)));
  }
}
const perSec = (count: number) => (startedAt: number) =>
  `${Math.round((count * 1_000) / (performance.now() - startedAt)).toLocaleString('en')} a second`;

const seed = randomBytes(32).toString('base64url');
const baseBytes = await redisBytes();
const drop = await engine.load({
  mode: 'shuffle',
  opensAtMs: Date.now() + hourMs,
  seed,
  seedHash: seedHash(seed) ?? '',
  // Nothing but the queue is to be the limit here.
  ratePerSec: 10_000_000,
  activeMax: 100_000,
  items: [
    {
      sku: skuSchema.parse('million'),
      title: 'A million',
      price: { amount: 1_000, currency: 'EUR' },
      total: 10_000_000,
      withdrawn: 0,
    },
  ],
});
const { dropId } = drop;
const buyers = randomBytes(16 * ticketsCount);
const buyerAt = (arrival: number): BuyerId =>
  buyerIdSchema.parse(buyers.subarray(arrival * 16, arrival * 16 + 16).toString('base64url'));
// Arrivals are given in the order of the calls, which one connection keeps.
let conducting = true;
const conductor = (async () => {
  while (conducting) {
    await fairness.lobbyKey(drop);
    await new Promise(resolve => setTimeout(resolve, conductorEveryMs));
  }
})();
let startedAt = performance.now();
await measured(
  'join, archiving alongside',
  () =>
    each(ticketsCount, async arrival => {
      const buyerId = buyerAt(arrival);
      const leaf = ticketLeaf({ dropId, buyerId, nonce: randomBytes(16).toString('base64url') });
      const joined = await engine.queue.join(dropId, buyerId, { leaf });
      if (joined.kind !== 'joined' || joined.arrival !== arrival) throw new Error(JSON.stringify(joined));
    }),
  () => perSec(ticketsCount)(startedAt),
);
const joinedBytes = await redisBytes();
conducting = false;
await conductor;

await engine.setAheadMs(drop, hourMs - 500);
await measured(
  'freeze',
  () => engine.live.open(dropId, ''),
  ({ lobbySize }) => `${lobbySize.toLocaleString('en')} tickets`,
);
const key = await measured('commit what was left', () => fairness.lobbyKey(drop), String);
await engine.setAheadMs(drop, hourMs + 2_000);
await measured(
  'open',
  () => engine.live.open(dropId, key ?? ''),
  ({ state }) => state,
);

const order = await measured(
  'every rank computed',
  async () => {
    const rankOf = lobbyRanks({ key: key ?? '', lane: 'general', size: ticketsCount });
    const arrivals = new Uint32Array(ticketsCount);
    for (let arrival = 0; arrival < ticketsCount; arrival += 1) arrivals[rankOf(arrival)] = arrival;
    return arrivals;
  },
  () => 'arrival → rank, in one process',
);
startedAt = performance.now();
await measured(
  'drain: call, claim, leave',
  async () => {
    let called = 0;
    while (called < ticketsCount) {
      const calls = await admit(drop);
      if (calls === 0) throw new Error(JSON.stringify(await engine.queue.admit(dropId)));
      const first = called;
      await each(calls, async index => {
        const rank = first + index;
        const arrival = order[rank] ?? 0;
        const buyerId = buyerAt(arrival);
        const standing = { lane: 'general' as const, arrival, rank };
        const claim = await engine.queue.claim(dropId, buyerId, standing);
        if (claim.kind !== 'called') throw new Error(`rank ${rank} was called and is ${claim.kind}`);
        await engine.queue.leave(dropId, buyerId, standing);
      });
      called += calls;
    }
    const idle = await engine.queue.admit(dropId);
    if (idle.kind !== 'idle' || idle.why !== 'nobody-waits') throw new Error(JSON.stringify(idle));
    return called;
  },
  called => `${called.toLocaleString('en')} called in order, ${perSec(called)(startedAt)}`,
);

const serve = createServeProof({ fairness, findDrop: async () => drop, calls: id => callLog.read(id) });
const server = createServer((req, res) => void serve(req, res, req.url?.split('/')[2] ?? ''));
await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
const address = server.address();
const url = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
await measured(
  'prove: npm run proof',
  () =>
    new Promise<void>((resolve, reject) => {
      const program = path.join(import.meta.dirname, '../scripts/proof.ts');
      const child = spawn(process.execPath, [program, dropId, '--url', url], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => {
        output += chunk.toString();
      });
      child.on('error', reject);
      child.on('close', status => (status === 0 ? resolve() : reject(new Error(output))));
    }),
  () => 'downloaded and recomputed by another process: all of it fits',
);
server.close();

const ticketBytes = (joinedBytes - baseBytes) / ticketsCount;
process.stdout.write(
  `Redis keeps ${ticketBytes.toFixed(1)} bytes for each ticket that waits, its leaf included.\n`,
);
process.stdout.write(`${process.version}, ${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}\n`);
if (values.json !== undefined) {
  writeFileSync(values.json, `${JSON.stringify({ tickets: ticketsCount, ticketBytes, results }, null, 2)}\n`);
}
await engine.close();
await connection.close();
await Promise.all([redis.dispose(), mongo.stop()]);
process.exit(0);
