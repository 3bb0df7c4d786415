// Where the audit reads: Redis by commands and the script that only look, MongoDB's collections as they are, Stripe's list
// of payments. The readers are its own, so that a fault of the engine's stores does not hide.
import type { Redis } from 'ioredis';
import type Stripe from 'stripe';
import { z } from 'zod';
import { hashBytes, pieceLeavesCount } from '../../client/fairness/merkle.ts';
import type { DropView } from '../drops/drop-view.ts';
import { buyerIdSchema, dropIdSchema, type DropId } from '../ids.ts';
import { readPayment } from '../payments/payments.gateway.ts';
import { buyerBytes, couponKey, dropKey, everyHoldKey, readHoldKey } from '../platform/keys.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import type { AuditHold, AuditSources } from './audit-sources.ts';
import type { FallingPrices } from './check-prices.ts';

const unitNameSchema = z.object({ sku: z.string(), serial: z.number() });
const dropSchema = z.object({
  _id: dropIdSchema,
  mode: z.string(),
  seed: z.string(),
  seedHash: z.string(),
  beacon: z.string().nullable().default(null),
  ended: z.boolean(),
  perBuyerMax: z.number(),
  perBuyerMaxHighest: z.number().default(0),
  items: z.array(z.object({ sku: z.string(), total: z.number() })),
});
const pricesSchema = z.object({
  _id: z.string(),
  items: z.array(
    z.object({
      sku: z.string(),
      price: z.object({ amount: z.number() }),
      steps: z.array(z.object({ atMs: z.number(), amount: z.number() })).default([]),
    }),
  ),
});
const orderSchema = z.object({
  _id: z.string(),
  holdId: z.string(),
  dropId: z.string(),
  buyerId: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
  rev: z.number(),
  quote: z.object({
    totalAmount: z.number(),
    currency: z.string(),
    coupon: z.string().optional(),
    lines: z.array(
      z.object({
        sku: z.string(),
        quantity: z.number(),
        unitAmount: z.number(),
        listAmount: z.number().optional(),
      }),
    ),
    pricedAtMs: z.number().optional(),
  }),
  createdAtMs: z.number(),
  serials: z.array(unitNameSchema),
  refundedAmount: z.number(),
  refunds: z
    .array(
      z.object({
        refundId: z.string(),
        amount: z.number(),
        status: z.string(),
        restock: z.array(unitNameSchema),
        restockedAtMs: z.number().nullable(),
        paymentRefundId: z.string().nullable(),
      }),
    )
    .default([]),
  terms: z.object({ perCardMax: z.number().nullable() }).default({ perCardMax: null }),
  card: z.string().nullable().default(null),
  intent: z
    .object({ id: z.string().nullable(), params: z.object({ amount: z.number(), currency: z.string() }) })
    .nullable(),
  payDeadlineMs: z.number().nullable(),
  settledAtMs: z.number().nullable().default(null),
  releasedAtMs: z.number().nullable(),
  dueAtMs: z.number().nullable(),
  history: z.array(z.object({ status: z.string() })),
});
/** What an order says of a person stays where it is. */
const orderFields = Object.fromEntries(
  [
    ...Object.keys(orderSchema.omit({ quote: true }).shape),
    'quote.totalAmount',
    'quote.currency',
    'quote.coupon',
    'quote.lines',
    'quote.pricedAtMs',
  ].map(name => [name, 1]),
);
const ownedSchema = unitNameSchema.extend({
  _id: z.string(),
  drop: z.string(),
  order: z.string(),
  slot: z.string(),
});
const unitSchema = z.object({ _id: z.string(), serial: z.number() });
const callSchema = z.object({
  seq: z.number(),
  atMs: z.number(),
  lane: z.string(),
  from: z.number(),
  to: z.number(),
  hash: z.string(),
});
const cardSchema = z.object({
  _id: z.string(),
  used: z.number(),
  takers: z.array(z.object({ order: z.string(), units: z.number() })),
});
const couponSchema = z.object({
  _id: z.string(),
  usesMax: z.number().nullable().default(null),
  perBuyerMax: z.number().nullable().default(null),
});
const lobbySchema = z.object({
  root: z.string(),
  frozenAtMs: z.number(),
  beaconValue: z.string().nullable(),
  lanes: z.array(z.object({ lane: z.string(), size: z.number(), root: z.string() })),
});
const pieceSchema = z.object({ leaves: z.custom<Uint8Array>(value => value instanceof Uint8Array) });
const eventSchema = z.object({ _id: z.string(), dueAtMs: z.number() });
const chargeSchema = z.object({
  created: z.number(),
  status: z.string(),
  amount: z.number(),
  amount_captured: z.number(),
  amount_refunded: z.number(),
});

/** Documents in one answer of MongoDB, and keys in one of Redis' scan: a megabyte or less. */
const batchSize = 1_000;
const scanCount = 2_000;

export function createAuditSources(deps: {
  look: (dropId: DropId) => Promise<DropView | null>;
  redis: Redis;
  mongo: MongoConnection;
  stripe: Pick<Stripe, 'paymentIntents'>;
  clock: { now(): number };
}): AuditSources {
  const { look, redis, mongo, stripe, clock } = deps;
  const collection = (name: string) => collectionOf(mongo, name);
  return {
    nowMs: () => clock.now(),
    async countDocuments() {
      const [orders = 0, units = 0, calls = 0] = await Promise.all(
        ['orders', 'units', 'calls'].map(name => collection(name).estimatedDocumentCount()),
      );
      // An order has a payment and a hold; a unit is read by its SKU, and once more by its order.
      return 3 * orders + 2 * units + calls;
    },
    async fallingPrices() {
      const prices = new Map<string, FallingPrices>();
      const found = collection('drops').find({}, { projection: { items: 1 }, batchSize });
      for await (const document of found) {
        const { _id: dropId, items } = pricesSchema.parse(document);
        const falling = items.filter(({ steps }) => steps.length > 0);
        const entries = falling.map(
          ({ sku, price, steps }) => [sku, { startAmount: price.amount, steps }] as const,
        );
        if (entries.length > 0) prices.set(dropId, new Map(entries));
      }
      return prices;
    },
    async *drops() {
      for await (const document of collection('drops').find({}).sort({ _id: 1 })) {
        const { _id: dropId, items, perBuyerMax, perBuyerMaxHighest, ...drop } = dropSchema.parse(document);
        yield {
          ...drop,
          dropId,
          perBuyerMax: Math.max(perBuyerMax, perBuyerMaxHighest),
          totals: new Map(items.map(item => [item.sku, item.total])),
          view: await look(dropId),
        };
      }
    },
    async *orders() {
      const found = collection('orders').find({}, { projection: orderFields, batchSize }).sort({ _id: 1 });
      for await (const document of found) {
        const { _id: orderId, quote, terms, ...order } = orderSchema.parse(document);
        const coupon = quote.coupon ?? null;
        yield { ...order, ...quote, coupon, orderId, perCardMax: terms.perCardMax };
      }
    },
    async *ownedUnits() {
      const owned = collection('units')
        .find({ order: { $gt: '' } }, { batchSize })
        .sort({ order: 1, slot: 1 });
      for await (const document of owned) {
        const { _id: unitId, drop: dropId, order: orderId, ...unit } = ownedSchema.parse(document);
        yield { unitId, dropId, orderId, ...unit };
      }
    },
    async *unitsOf(dropId, sku) {
      const found = collection('units').find({ drop: dropId, sku }, { projection: { serial: 1 }, batchSize });
      for await (const document of found) {
        const { _id: unitId, serial } = unitSchema.parse(document);
        yield { unitId, serial };
      }
    },
    async *payments() {
      const listed = stripe.paymentIntents.list({ limit: 100, expand: ['data.latest_charge'] });
      for await (const intent of listed) {
        const orderId = intent.metadata['order'];
        if (!orderId) continue;
        const payment = readPayment(intent);
        const charge = chargeSchema.safeParse(intent.latest_charge).data;
        // A charge that was never captured counts its release as refunded; no money moved.
        const refundedShare =
          charge && charge.amount_captured > 0 ? charge.amount_refunded / charge.amount_captured : 0;
        yield {
          paymentId: payment.id,
          orderId,
          status: payment.status,
          amount: payment.amount,
          currency: payment.currency,
          capturedAmount: payment.receivedAmount,
          refundedAmount: Math.round(payment.receivedAmount * refundedShare),
          authorizedAtMs: charge?.status === 'succeeded' ? charge.created * 1_000 : null,
        };
      }
    },
    async *holds() {
      let cursor = '0';
      do {
        const [next, keys] = await redis.scan(cursor, 'MATCH', everyHoldKey, 'COUNT', scanCount);
        cursor = next;
        const found = await Promise.all(
          keys.map(key => redis.hmgetBuffer(key, 'state', 'buyer', 'lines', 'expiresAtMs')),
        );
        for (const [place, key] of keys.entries()) {
          const hold = readHold(key, found[place] ?? []);
          if (hold) yield hold;
        }
      } while (cursor !== '0');
    },
    async bought(dropId, buyerIds) {
      const fields = buyerIds.map(buyerId => buyerBytes(buyerIdSchema.parse(buyerId)));
      const counts = await redis.hmget(dropKey(dropIdSchema.parse(dropId), 'bought'), ...fields);
      return counts.map(Number);
    },
    async *cards() {
      for await (const document of collection('cards').find({}, { batchSize })) {
        const { _id: cardId, used, takers } = cardSchema.parse(document);
        yield { cardId, used, takers };
      }
    },
    async *coupons() {
      const projection = { usesMax: 1, perBuyerMax: 1 };
      for await (const document of collection('coupons').find({}, { projection, batchSize })) {
        const { _id: code, ...limits } = couponSchema.parse(document);
        yield { code, ...limits };
      }
    },
    async couponUsesCount(code) {
      const [info, epoch, count] = await Promise.all([
        redis.info(),
        redis.get(couponKey(code, 'epoch')),
        redis.hlen(couponKey(code, 'uses')),
      ]);
      const idIn = (label: string) => new RegExp(`^${label}:([0-9a-f]+)`, 'm').exec(info)?.[1] ?? '';
      // A coupon that nobody has used yet has no epoch, and nothing to count either.
      return epoch?.endsWith(`${idIn('run_id')}/${idIn('master_replid')}`) ? count : null;
    },
    async areCouponUses(code, holdIds) {
      const found = await redis.hmget(couponKey(code, 'uses'), ...holdIds);
      return found.map(buyer => buyer !== null);
    },
    async *calls(dropId) {
      const found = collection('calls').find({ drop: dropId }, { batchSize }).sort({ seq: 1 });
      for await (const document of found) yield callSchema.parse(document);
    },
    async lobby(dropId) {
      const found = await collectionOf<{ _id: string }>(mongo, 'lobbies').findOne({ _id: dropId });
      return found ? lobbySchema.parse(found) : null;
    },
    async *leaves(dropId, lanes) {
      const pieces = collection('lobby-leaves');
      for (const { lane, size } of lanes) {
        for (let from = 0; from < size; from += pieceLeavesCount) {
          const place = { drop: dropId, lane, piece: from / pieceLeavesCount };
          const found = await pieces.findOne(place, { promoteBuffers: true });
          const leaves = found ? pieceSchema.parse(found).leaves : new Uint8Array(0);
          yield { lane, from, leaves: leaves.subarray(0, leaves.length - (leaves.length % hashBytes)) };
        }
      }
    },
    async *lateEvents(beforeMs) {
      const late = { dueAtMs: { $gt: 0, $lt: beforeMs } };
      const found = collection('stripeEvents').find(late, { projection: { dueAtMs: 1 }, batchSize });
      for await (const document of found) {
        const { _id: eventId, dueAtMs } = eventSchema.parse(document);
        yield { eventId, dueAtMs };
      }
    },
  };
}

/** Null for a key that went away meanwhile. */
function readHold(key: string, fields: readonly (Buffer | null)[]): AuditHold | null {
  const name = readHoldKey(key);
  const [state, buyer, lines, expiresAtMs] = fields;
  if (!name || !state || !buyer) return null;
  return {
    ...name,
    state: state.toString(),
    buyerId: buyer.toString('base64url'),
    lines: (lines?.toString() ?? '')
      .split(',')
      .filter(Boolean)
      .map(pair => pair.split('='))
      .map(([sku = '', quantity]) => ({ sku, quantity: Number(quantity) })),
    expiresAtMs: Number(expiresAtMs?.toString() ?? 0),
  };
}
