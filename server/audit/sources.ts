// Where the audit reads: Redis through the script that only looks, MongoDB's collections as they are, Stripe's list of
// payments. The readers are its own, so that a fault of the engine's stores does not hide.
import type Stripe from 'stripe';
import { z } from 'zod';
import type { DropView } from '../drops/drop-view.ts';
import { dropIdSchema, type DropId } from '../ids.ts';
import { readPayment } from '../payments/payments.gateway.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import type { AuditSources } from './audit.ts';

const dropSchema = z.object({
  _id: dropIdSchema,
  seedHash: z.string(),
  ended: z.boolean(),
  items: z.array(z.object({ sku: z.string(), total: z.number() })),
});
const orderSchema = z.object({
  _id: z.string(),
  holdId: z.string(),
  dropId: z.string(),
  status: z.string(),
  refundedAmount: z.number(),
  releasedAtMs: z.number().nullable(),
  quote: z.object({
    totalAmount: z.number(),
    lines: z.array(z.object({ sku: z.string(), quantity: z.number() })),
  }),
  serials: z.array(z.object({ sku: z.string(), serial: z.number() })),
  refunds: z
    .array(
      z.object({
        restock: z.array(z.object({ sku: z.string(), serial: z.number() })),
        restockedAtMs: z.number().nullable(),
      }),
    )
    .default([]),
  intent: z.object({ id: z.string().nullable() }).nullable(),
});
const unitSchema = z.object({
  _id: z.string(),
  drop: z.string(),
  sku: z.string(),
  serial: z.number(),
  order: z.string(),
  slot: z.string(),
});
const callSchema = z.object({
  seq: z.number(),
  atMs: z.number(),
  lane: z.string(),
  from: z.number(),
  to: z.number(),
  hash: z.string(),
});
const chargeSchema = z.object({ amount_refunded: z.number(), amount_captured: z.number() });

export function createAuditSources(deps: {
  look: (dropId: DropId) => Promise<DropView | null>;
  mongo: MongoConnection;
  stripe: Pick<Stripe, 'paymentIntents'>;
}): AuditSources {
  const { look, mongo, stripe } = deps;
  const collection = (name: string) => collectionOf(mongo, name);
  return {
    async *drops() {
      for await (const document of collection('drops').find({}).sort({ _id: 1 })) {
        const { _id: dropId, seedHash, ended, items } = dropSchema.parse(document);
        const totals = new Map(items.map(item => [item.sku, item.total]));
        yield { dropId, seedHash, ended, totals, view: await look(dropId) };
      }
    },
    async *orders() {
      for await (const document of collection('orders').find({}).sort({ _id: 1 })) {
        const { _id: orderId, quote, intent, releasedAtMs, refunds, ...order } = orderSchema.parse(document);
        const released = releasedAtMs !== null;
        const restocked = refunds
          .filter(refund => refund.restockedAtMs !== null)
          .flatMap(refund => refund.restock);
        yield { orderId, ...order, ...quote, intentId: intent?.id ?? null, released, restocked };
      }
    },
    async *ownedUnits() {
      const owned = collection('units')
        .find({ order: { $type: 'string' } })
        .sort({ order: 1, slot: 1 });
      for await (const document of owned) {
        const { _id: unitId, drop: dropId, order: orderId, ...unit } = unitSchema.parse(document);
        yield { unitId, dropId, orderId, ...unit };
      }
    },
    async *payments() {
      const listed = stripe.paymentIntents.list({ limit: 100, expand: ['data.latest_charge'] });
      for await (const intent of listed) {
        const payment = readPayment(intent);
        const orderId = payment.metadata['order'];
        if (!orderId) continue;
        const charge = chargeSchema.safeParse(intent.latest_charge);
        yield {
          paymentId: payment.id,
          orderId,
          status: payment.status,
          capturedAmount: payment.receivedAmount,
          // A charge that was never captured counts its release as refunded; no money moved.
          refundedAmount: charge.success && charge.data.amount_captured > 0 ? charge.data.amount_refunded : 0,
        };
      }
    },
    async *calls(dropId) {
      for await (const document of collection('calls').find({ drop: dropId }).sort({ seq: 1 })) {
        yield callSchema.parse(document);
      }
    },
  };
}
