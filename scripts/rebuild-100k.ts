// How long a rebuild takes: a drop with many holds, each with an order, in the embedded services; Redis is emptied, and
// the drop rebuilt; then it is sold out, and no more is sold than there is. `cpuMs` says where the time goes: here, in
// MongoDB, in Redis. With `--profile` what is done here is written as a profile that browsers' tools read.
//
//   node scripts/run.js scripts/rebuild-100k.ts [-- --holds 100000] [--profile FILE]
import { readFileSync, writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { dropFields, firstPaidShare } from '../server/drops/live.store.ts';
import { dropKey } from '../server/platform/keys.ts';
import { collectionOf, connectMongo } from '../server/platform/mongo.ts';
import { createMetrics } from '../server/platform/telemetry.ts';
import { createLedger } from '../server/inventory/ledger.store.ts';
import { createOrdersStore } from '../server/orders/order.store.ts';
import type { Order } from '../server/orders/order.ts';
import { newBuyerId, orderIdOf, type Sku } from '../server/ids.ts';
import { createArrivalMarks } from '../server/rebuild/arrival-marks.ts';
import { createEpochsStore } from '../server/rebuild/epochs.store.ts';
import { lostOrder } from '../server/rebuild/lost-order.ts';
import { createRebuild } from '../server/rebuild/rebuild.ts';
import { createRebuildStore } from '../server/rebuild/rebuild.store.ts';
import { startEmbeddedMongo } from '../test/support/embedded-mongo.ts';
import { startEmbeddedRedis } from '../test/support/embedded-redis.ts';
import { dropOf, newHoldId, openEngine, skuOf } from '../test/support/engine.ts';
import { pino } from 'pino';

const { values } = parseArgs({
  options: { holds: { type: 'string', default: '100000' }, profile: { type: 'string' } },
});
const holdsCount = Number(values.holds);
const unsoldCount = 100;
const boundMs = 30_000;
const batchCount = 1_000;

const log = pino({ level: 'error' });
const [redis, mongo] = await Promise.all([startEmbeddedRedis(), startEmbeddedMongo()]);
const connection = await connectMongo({ uri: `${mongo.uri}/rebuild`, log });
const epochs = createEpochsStore(connection);
const engine = openEngine(redis.url, { raiseMarks: dropId => marks.keep(dropId) });
const rebuildStore = createRebuildStore({ redis: engine.redis, run: engine.run });
const marks = createArrivalMarks({ store: epochs, live: rebuildStore });
const orders = createOrdersStore(connection);
const ledger = createLedger(connection);
await Promise.all([orders.ensureIndexes(), ledger.ensureIndexes()]);

const sku: Sku = skuOf('sku-a');
const total = holdsCount + unsoldCount;
const drop = {
  ...dropOf({
    activeMax: 1_000_000,
    items: [{ sku, title: 'A', price: { amount: 1_000, currency: 'EUR' }, total, withdrawn: 0 }],
  }),
  loadedRev: 1,
};
const { dropId } = drop;
await engine.live.load({ ...drop, loadedRev: 0 });
await engine.live.open(dropId, '');
await epochs.ensure(dropId, { general: 0, priority: 0, late: 0 });
await ledger.createUnits(dropId, [{ sku, from: 1, to: total }]);

/** A tenth of the holds is still being paid, the others are paid and have their unit. */
const isPaid = (index: number) => index % 10 !== 0;
function orderNumbered(index: number): Order {
  const buyerId = newBuyerId();
  const holdId = newHoldId();
  const nowMs = Date.now();
  const line = { sku, title: 'A', quantity: 1, unitAmount: 1_000, totalAmount: 1_000 };
  const frozen = JSON.stringify({
    dropId,
    buyerId,
    lines: [line],
    currency: 'EUR',
    subtotalAmount: 1_000,
    discountAmount: 0,
    shippingAmount: 0,
    taxAmount: 0,
    taxIncluded: true,
    totalAmount: 1_000,
    shipping: 'standard',
    destination: { country: 'DE' },
    expiresAtMs: nowMs + 600_000,
  });
  const hold = {
    holdId,
    state: 'paying' as const,
    buyer: Buffer.from(buyerId, 'base64url'),
    lines: [line],
    serials: '',
    frozen,
    expiresAtMs: nowMs + 600_000,
    payDeadlineMs: nowMs + 600_000,
  };
  const serials = isPaid(index) ? [{ sku, serial: index + 1 }] : [];
  const status = isPaid(index) ? ('paid' as const) : ('pending' as const);
  const paidAtMs = isPaid(index) ? nowMs : null;
  return { ...lostOrder(dropId, hold, nowMs), status, reason: null, serials, paidAtMs, dueAtMs: null };
}

const orderDocuments = collectionOf<{ _id: string }>(connection, 'orders');
const unitDocuments = collectionOf<{ _id: string }>(connection, 'units');
for (let from = 0; from < holdsCount; from += batchCount) {
  const batch = Array.from({ length: Math.min(batchCount, holdsCount - from) }, (_, index) =>
    orderNumbered(from + index),
  );
  await orderDocuments.insertMany(
    batch.map(({ orderId, ...fields }) => Object.assign({ _id: orderId }, fields)),
  );
  await unitDocuments.bulkWrite(
    batch.flatMap(({ holdId, serials }) =>
      serials.map(({ serial }) => ({
        updateOne: {
          filter: { _id: `${dropId}/${sku}/${serial}` },
          update: { $set: { order: orderIdOf(holdId), slot: `${sku}/0` } },
        },
      })),
    ),
  );
  process.stderr.write(`\r${from + batch.length} holds with orders `);
}
process.stderr.write('\n');

const rebuild = createRebuild({
  store: rebuildStore,
  epochs,
  findDrop: () => Promise.resolve(drop),
  dropFields,
  firstPaidShare,
  orders: id => orders.holdsOfDrop(id),
  ownersAmong: orderIds => ledger.ownersAmong(orderIds),
  calls: async function* () {},
  lobby: () => Promise.resolve(null),
  payments: () => Promise.resolve([]),
  insertLost: () => Promise.resolve(),
  clock: { now: () => Date.now() },
  log,
  metrics: createMetrics(),
});
/** What a process has had of the processors; null where this system does not say. */
function cpuMsOf(pid: number): number | null {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? 0) + (system ?? 0)) * 10;
  } catch {
    return null;
  }
}
const pids = { here: process.pid, mongo: mongo.pid, redis: redis.pid() ?? 0 };
const cpuBefore = Object.values(pids).map(cpuMsOf);
const profiler = values.profile === undefined ? null : new Session();
profiler?.connect();
await profiler?.post('Profiler.enable');
await profiler?.post('Profiler.start');

await engine.redis.flushall();
const startedAt = performance.now();
const outcome = await rebuild(dropId);
const tookMs = Math.round(performance.now() - startedAt);

const cpuMs = Object.fromEntries(
  Object.entries(pids).map(([name, pid], index) => {
    const [before, after] = [cpuBefore[index] ?? null, cpuMsOf(pid)];
    return [name, before === null || after === null ? null : after - before];
  }),
);
if (profiler && values.profile !== undefined) {
  const { profile } = await profiler.post('Profiler.stop');
  writeFileSync(values.profile, JSON.stringify(profile));
}
await engine.live.open(dropId, '');
await engine.redis.set(dropKey(dropId, 'clock'), 1_000);

let soldOn = 0;
const before = (await engine.live.look(dropId))?.stock[0];
for (let left = before?.available ?? 0; left > 0; left -= 1) {
  const placed = await engine.place(drop, await engine.admitted(drop));
  if (placed.kind === 'held') soldOn += 1;
}
const after = (await engine.live.look(dropId))?.stock[0];
const oversold = (before?.sold ?? 0) + (before?.held ?? 0) + soldOn - total;
const right = outcome.kind === 'rebuilt' && oversold === 0 && after?.available === 0 && tookMs < boundMs;
process.stdout.write(
  `${JSON.stringify({ outcome: outcome.kind, holdsCount, tookMs, boundMs, cpuMs, before, soldOn, after, oversold })}\n`,
);
await engine.close();
await connection.close();
await Promise.all([redis.dispose(), mongo.stop()]);
process.exitCode = right ? 0 : 1;
