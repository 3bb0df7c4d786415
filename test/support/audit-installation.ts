// An installation's stores, filled straight with a drop of many orders, for the audit: each as the engine leaves it, nine
// in ten paid, one in ten expired. `plant` then breaks each invariant once, every time in another document.
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { seedHash } from '../../client/fairness/commitments.ts';
import { createDropsStore } from '../../server/drops/drops.store.ts';
import { Database } from '../../server/embedded/stripe/database.ts';
import { ObjectStore } from '../../server/embedded/stripe/object-store.ts';
import { newBuyerId, orderIdOf, type BuyerId, type HoldId, type OrderId } from '../../server/ids.ts';
import { createLedger } from '../../server/inventory/ledger.store.ts';
import { createOrdersStore } from '../../server/orders/order.store.ts';
import type { Order } from '../../server/orders/order.ts';
import { createEventsStore } from '../../server/payments/events.store.ts';
import { createStripe } from '../../server/payments/stripe.ts';
import { buyerBytes, couponKey, dropKey, holdKey } from '../../server/platform/keys.ts';
import { collectionOf, connectMongo } from '../../server/platform/mongo.ts';
import { createCallLog } from '../../server/queue/call-log.store.ts';
import { lostOrder } from '../../server/rebuild/lost-order.ts';
import { startEmbeddedMongo } from './embedded-mongo.ts';
import { startEmbeddedRedis } from './embedded-redis.ts';
import { startEmbeddedStripe } from './embedded-stripe.ts';
import { dropOf, newHoldId, openEngine, skuOf } from './engine.ts';

/** What a planted violation must be found as. */
export interface Expected {
  readonly invariant: number;
  readonly document: string;
}
interface Filled {
  readonly orderId: OrderId;
  readonly holdId: HoldId;
  readonly buyerId: BuyerId;
  readonly paymentId: string;
}

const sku = skuOf('sku-a');
const unsoldCount = 100;
const batchCount = 1_000;
const ranksInCall = 100;
const amount = 1_000;
/** Those that are kept for planting. */
const sampleCount = 60;
/** Every tenth order has expired, the others are paid and have their unit. */
const isPaid = (index: number) => index % 10 !== 0;

export type AuditInstallation = Awaited<ReturnType<typeof startAuditInstallation>>;

/** `ordersCount`: at least 60. */
export async function startAuditInstallation(ordersCount: number, onFilled?: (count: number) => void) {
  const log = pino({ level: 'silent' });
  const stripeFolder = mkdtempSync(path.join(tmpdir(), 'doorbuster-audit-stripe-'));
  const [redis, mongo] = await Promise.all([startEmbeddedRedis(), startEmbeddedMongo()]);
  const mongoUri = `${mongo.uri}/audited`;
  const connection = await connectMongo({ uri: mongoUri, log });
  const engine = openEngine(redis.url);
  const collection = (name: string) => collectionOf<{ _id: string }>(connection, name);
  const ledger = createLedger(connection);
  const calls = createCallLog(connection);
  await Promise.all([
    createOrdersStore(connection).ensureIndexes(),
    createEventsStore(connection).ensureIndexes(),
    ledger.ensureIndexes(),
    calls.ensureIndexes(),
  ]);

  const total = ordersCount + unsoldCount;
  const seed = Buffer.alloc(32, 7).toString('base64url');
  const drop = dropOf({
    items: [{ sku, title: 'A', price: { amount, currency: 'EUR' }, total, withdrawn: 0 }],
    seed,
    seedHash: seedHash(seed) ?? '',
  });
  const { dropId } = drop;
  await engine.live.load(drop);
  await engine.live.open(dropId, '');
  await createDropsStore(connection).insert({ ...drop, loadedRev: 1 });
  await ledger.createUnits(dropId, [{ sku, from: 1, to: total }]);
  const copyPayments = await openPaymentCopies(stripeFolder);

  const sample: { paid: Filled[]; expired: Filled[] } = { paid: [], expired: [] };
  for (let from = 0; from < ordersCount; from += batchCount) {
    const batch = Array.from({ length: Math.min(batchCount, ordersCount - from) }, (_, place) => {
      const index = from + place;
      const holdId = newHoldId();
      const orderId = orderIdOf(holdId);
      return { index, orderId, holdId, buyerId: newBuyerId(), paymentId: `pi_${orderId.slice(4)}` };
    });
    const paid = batch.filter(({ index }) => isPaid(index));
    await collection('orders').insertMany(
      batch.map(filled => {
        const { orderId, ...fields } = orderNumbered(filled, drop);
        return Object.assign({ _id: orderId }, fields);
      }),
    );
    await collection('units').bulkWrite(
      paid.map(({ index, orderId }) => ({
        updateOne: {
          filter: { _id: `${dropId}/${sku}/${index + 1}` },
          update: { $set: { order: orderId, slot: `${sku}/0` } },
        },
      })),
    );
    await copyPayments(paid);
    const pipeline = engine.redis.pipeline();
    for (const { index, holdId, buyerId } of batch) {
      const state = isPaid(index) ? 'settled' : 'released';
      pipeline.hset(holdKey(dropId, holdId), holdFields(buyerId, { state, expiresAtMs: drop.createdAtMs }));
      if (isPaid(index)) pipeline.hset(dropKey(dropId, 'bought'), buyerBytes(buyerId), 1);
    }
    await pipeline.exec();
    for (const filled of batch) {
      const kept = isPaid(filled.index) ? sample.paid : sample.expired;
      if (kept.length < sampleCount) kept.push(filled);
    }
    onFilled?.(from + batch.length);
  }
  await copyPayments('end');

  const soldCount = Array.from({ length: ordersCount }, (_, index) => index).filter(isPaid).length;
  const stock = { available: total - soldCount, held: 0, sold: soldCount, withdrawn: 0 };
  for (const name of [sku, '*'])
    for (const [count, value] of Object.entries(stock))
      await engine.redis.hset(dropKey(dropId, 'stock'), `${name}/${count}`, value);
  for (let rank = 0, seq = 0; rank < ordersCount; rank += ranksInCall, seq += 1) {
    const to = Math.min(ordersCount, rank + ranksInCall);
    await calls.append(drop, { seq, atMs: drop.opensAtMs + seq, lane: 'general', from: rank, to });
  }
  await engine.redis.hset(dropKey(dropId, 'queue'), {
    'general/arrived': ordersCount,
    'general/serving': ordersCount,
  });

  const stripe = await startEmbeddedStripe({ dataFolder: stripeFolder });
  return {
    drop,
    engine,
    collection,
    sample,
    settings: {
      REDIS_URL: redis.url,
      MONGODB_URI: mongoUri,
      STRIPE_SECRET_KEY: stripe.secretKey,
      STRIPE_API_BASE: stripe.url,
      LUA_CLOCK: 'test',
    },
    async close() {
      await engine.close();
      await connection.close();
      await Promise.all([redis.dispose(), mongo.stop(), stripe.stop()]);
      rmSync(stripeFolder, { recursive: true, force: true });
    },
  };
}

function orderNumbered(filled: Filled & { index: number }, drop: ReturnType<typeof dropOf>): Order {
  const { index, holdId, buyerId, paymentId } = filled;
  const { dropId, createdAtMs } = drop;
  const line = { sku, title: 'A', quantity: 1, unitAmount: amount, totalAmount: amount };
  const frozen = JSON.stringify({
    dropId,
    buyerId,
    lines: [line],
    currency: 'EUR',
    subtotalAmount: amount,
    discountAmount: 0,
    shippingAmount: 0,
    taxAmount: 0,
    taxIncluded: true,
    totalAmount: amount,
    shipping: 'standard',
    destination: { country: 'DE' },
    expiresAtMs: createdAtMs,
  });
  const lost = lostOrder(
    dropId,
    {
      holdId,
      state: 'paying',
      buyer: buyerBytes(buyerId),
      lines: [line],
      serials: '',
      frozen,
      expiresAtMs: createdAtMs,
      payDeadlineMs: createdAtMs,
    },
    createdAtMs,
  );
  const ended = { ...lost, dueAtMs: null, releasedAtMs: createdAtMs };
  const params = { amount, currency: 'EUR', metadata: {}, capture: 'manual' as const };
  const intent = { idempotencyKey: `${lost.orderId}-pay`, params, startedAtMs: createdAtMs };
  if (!isPaid(index)) return { ...ended, intent: { ...intent, id: null, status: null } };
  return {
    ...ended,
    status: 'paid',
    reason: null,
    rev: 2,
    serials: [{ sku, serial: index + 1 }],
    intent: { ...intent, id: paymentId, status: 'succeeded' },
    paidAtMs: createdAtMs,
    settledAtMs: createdAtMs,
    endedAtMs: null,
    releasedAtMs: null,
    history: (['pending', 'authorized', 'paid'] as const).map(status => ({ status, atMs: createdAtMs })),
  };
}

function holdFields(buyerId: BuyerId, hold: { state: string; expiresAtMs: number }) {
  return { ...hold, buyer: buyerBytes(buyerId), lines: `${sku}=1`, serials: '', frozen: '{}' };
}

/** One payment is really made at the stand-in; the others are its copies, written into its store. */
async function openPaymentCopies(dataFolder: string) {
  const stripe = await startEmbeddedStripe({ dataFolder });
  const client = createStripe({ secretKey: stripe.secretKey, apiBase: stripe.url });
  const { id } = await client.paymentIntents.create({
    amount,
    currency: 'eur',
    capture_method: 'manual',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    payment_method: 'pm_card_visa',
    confirm: true,
  });
  await client.paymentIntents.capture(id);
  await stripe.stop();
  const db = new Database(dataFolder);
  const objects = new ObjectStore(db);
  const intent = objects.get('payment_intent', id);
  const charge = objects.get('charge', String(intent.latest_charge));
  return async (payments: readonly Filled[] | 'end'): Promise<void> => {
    if (payments === 'end') return db.close();
    await db.commit(() => {
      for (const { orderId, paymentId } of payments) {
        const chargeId = `ch_${orderId.slice(4)}`;
        objects.insert({ ...intent, id: paymentId, metadata: { order: orderId }, latest_charge: chargeId });
        objects.insert({ ...charge, id: chargeId, payment_intent: paymentId });
      }
    });
  };
}

/** Breaks each invariant once; answers as what each must be found, by what was done. */
export async function plantViolations(installation: AuditInstallation): Promise<Map<string, Expected>> {
  const { drop, engine, collection, sample, settings } = installation;
  const { dropId } = drop;
  const stripe = createStripe({ secretKey: settings.STRIPE_SECRET_KEY, apiBase: settings.STRIPE_API_BASE });
  const planted = new Map<string, Expected>();
  const expect = (what: string, invariant: number, document: string) =>
    planted.set(what, { invariant, document });
  const nextPaid = sample.paid.values();
  const nextExpired = sample.expired.values();
  const take = (from: Iterator<Filled>): Filled => {
    const next = from.next();
    if (next.done) throw new Error('there are too few orders to plant violations in');
    return next.value;
  };
  const changeOrder = (orderId: OrderId, update: object) =>
    collection('orders').updateOne({ _id: orderId }, update);

  await engine.redis.hincrby(dropKey(dropId, 'stock'), `${sku}/available`, -1);
  expect('a unit that Redis has lost', 1, `${dropId}/${sku}`);

  const keeper = take(nextExpired);
  const freeUnit = `${dropId}/${sku}/${drop.items[0]?.total}`;
  await collection('units').updateOne(
    { _id: freeUnit },
    { $set: { order: keeper.orderId, slot: `${sku}/0` } },
  );
  expect('an expired order that keeps a unit', 2, keeper.orderId);
  await collection('units').deleteOne({ _id: `${dropId}/${sku}/${Number(drop.items[0]?.total) - 1}` });
  expect('a unit that is gone from the ledger', 2, `${dropId}/${sku}`);

  const dear = take(nextPaid);
  await changeOrder(dear.orderId, { $set: { 'quote.totalAmount': amount + 1 } });
  expect('a paid order that costs more than was captured', 3, dear.orderId);
  const unknown = orderIdOf(newHoldId());
  const stray = await makePayment(stripe, unknown);
  await stripe.paymentIntents.capture(stray);
  expect('money captured for an order that there is not', 3, stray);

  const double = take(nextPaid);
  await makePayment(stripe, double.orderId);
  expect('a second payment of an order', 4, double.orderId);

  const late = { holdId: newHoldId(), buyerId: newBuyerId() };
  await engine.redis.hset(
    holdKey(dropId, late.holdId),
    holdFields(late.buyerId, { state: 'held', expiresAtMs: Date.now() - 600_000 }),
  );
  await engine.redis.hset(dropKey(dropId, 'bought'), buyerBytes(late.buyerId), 1);
  await engine.redis.hincrby(dropKey(dropId, 'stock'), `${sku}/available`, -1);
  await engine.redis.hincrby(dropKey(dropId, 'stock'), `${sku}/held`, 1);
  expect('a hold that ran out and was not returned', 5, late.holdId);

  const greedy = take(nextPaid);
  await engine.redis.hset(dropKey(dropId, 'bought'), buyerBytes(greedy.buyerId), 0);
  expect('a buyer whose units Redis has forgotten', 6, `${dropId}, buyer ${greedy.buyerId}`);
  const card = { _id: `${dropId}/card`, used: 1, takers: [], rev: 0, usedAt: new Date() };
  await collection('cards').insertOne(card);
  expect('a card that counts for no order', 6, card._id);

  const uncounted = take(nextPaid);
  await changeOrder(uncounted.orderId, { $set: { 'quote.coupon': 'planted' } });
  const coupon = { _id: 'planted', usesMax: 5 };
  await collection('coupons').insertOne(coupon);
  await engine.redis.set(couponKey('planted', 'epoch'), await serverIdentity(engine.redis));
  expect('a paid use of a coupon that Redis does not count', 6, uncounted.orderId);

  await collection('calls').updateOne({ _id: `${dropId}/0` }, { $set: { atMs: 1 } });
  expect('a call that was changed afterwards', 7, `${dropId}, call 0`);

  const orphan = newHoldId();
  await engine.redis.hset(
    holdKey(dropId, orphan),
    holdFields(newBuyerId(), { state: 'settled', expiresAtMs: 0 }),
  );
  expect('a paid hold whose order is lost', 9, orphan);

  const twice = take(nextPaid);
  const refund = {
    refundId: 'same',
    amount: 1,
    status: 'failed',
    restock: [],
    restockedAtMs: null,
    paymentRefundId: null,
  };
  await changeOrder(twice.orderId, { $set: { refunds: [refund, refund] } });
  expect('two refunds under one id', 10, twice.orderId);

  const back = take(nextPaid);
  await changeOrder(back.orderId, { $set: { status: 'fulfilled', rev: 3 } });
  expect('a status that its history does not know', 11, back.orderId);

  await collection('drops').updateOne(
    { _id: dropId },
    { $set: { seed: Buffer.alloc(32, 8).toString('base64url') } },
  );
  expect('a seed that was changed after its hash was published', 12, dropId);

  const served = take(nextExpired);
  const inTime = await makePayment(stripe, served.orderId);
  await stripe.paymentIntents.cancel(inTime);
  const payDeadlineMs = Date.now() + 60_000;
  // One that was lived through: what stands for a lost order begins with its end, and turned nobody away.
  const statuses = ['pending', 'closing', 'expired'];
  const history = statuses.map(status => ({ status, atMs: drop.createdAtMs }));
  await changeOrder(served.orderId, { $set: { 'intent.id': inTime, payDeadlineMs, history, rev: 2 } });
  expect('a payment in time whose order expired', 13, served.orderId);
  const event = { _id: `evt_${randomUUID()}`, dueAtMs: Date.now() - 600_000 };
  await collection('stripeEvents').insertOne(event);
  expect('an event that nobody works off', 13, event._id);
  return planted;
}

/** As the scripts know it. */
async function serverIdentity(redis: { info(): Promise<string> }): Promise<string> {
  const info = await redis.info();
  const idIn = (label: string) => new RegExp(`^${label}:([0-9a-f]+)`, 'm').exec(info)?.[1] ?? '';
  return `${idIn('run_id')}/${idIn('master_replid')}`;
}

async function makePayment(stripe: ReturnType<typeof createStripe>, orderId: OrderId): Promise<string> {
  const { id } = await stripe.paymentIntents.create({
    amount,
    currency: 'eur',
    capture_method: 'manual',
    automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
    payment_method: 'pm_card_visa',
    confirm: true,
    metadata: { order: orderId },
  });
  return id;
}
