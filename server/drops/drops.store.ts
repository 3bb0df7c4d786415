// The documents of drops, in MongoDB.
import { z } from 'zod';
import { dropIdSchema, skuSchema, type DropId, type Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import { frozenRateSchema } from '../pricing/quote.ts';
import { taxClasses } from '../pricing/tax-rates.rules.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import type { Drop } from './drop.ts';

const itemSchema = z.object({
  sku: skuSchema,
  title: z.string(),
  price: z.object({ amount: z.int(), currency: z.string() }),
  tiers: z
    .array(z.object({ from: z.int(), amount: z.int() }))
    .readonly()
    .optional(),
  taxClass: z.enum(taxClasses).optional(),
  rate: frozenRateSchema.optional(),
  steps: z
    .array(z.object({ atMs: z.number(), amount: z.int() }))
    .readonly()
    .optional(),
  total: z.int(),
  withdrawn: z.int(),
});

const documentSchema = z.object({
  _id: dropIdSchema,
  title: z.string(),
  mode: z.enum(['fifo', 'shuffle', 'draw']),
  lobbyOpensAtMs: z.number(),
  opensAtMs: z.number(),
  closesAtMs: z.number().nullable(),
  openedAtMs: z.number().optional(),
  items: z.array(itemSchema).readonly(),
  perBuyerMax: z.number(),
  /** The audit holds what was bought earlier against it: the limit may be lowered while a drop runs. */
  perBuyerMaxHighest: z.number().optional(),
  ratePerSec: z.number(),
  activeMax: z.number(),
  callWindowMs: z.number(),
  passTtlMs: z.number(),
  holdTtlMs: z.number(),
  paymentWindowMs: z.number(),
  paymentsPerSec: z.number().nullable().default(null),
  perCardMax: z.int().nullable().default(null),
  delayedMethods: z.boolean().default(false),
  botGate: z.enum(['off', 'on', 'auto']).default('off'),
  codes: z
    .array(z.object({ hash: z.string(), maxUses: z.int() }))
    .readonly()
    .default([]),
  seed: z.string(),
  seedHash: z.string(),
  beacon: z.string().nullable().default(null),
  createdAtMs: z.number(),
  pricesChangedAtMs: z.number().optional(),
  rev: z.number(),
  loadedRev: z.number(),
  ended: z.boolean(),
  endedAtMs: z.number().optional(),
});
type DropDocument = z.infer<typeof documentSchema>;

export type DropChange = Partial<
  Pick<
    Drop,
    | 'title'
    | 'items'
    | 'ratePerSec'
    | 'activeMax'
    | 'paymentsPerSec'
    | 'closesAtMs'
    | 'opensAtMs'
    | 'lobbyOpensAtMs'
    | 'perBuyerMax'
    | 'perCardMax'
    | 'callWindowMs'
    | 'passTtlMs'
    | 'holdTtlMs'
    | 'paymentWindowMs'
    | 'botGate'
    | 'delayedMethods'
    | 'pricesChangedAtMs'
  >
>;

export interface DropsStore {
  ensureIndexes(): Promise<void>;
  insert(drop: Drop): Promise<void>;
  find(dropId: DropId): Promise<Drop | null>;
  /** Newest first; `before` is the creation time and id to go on from. */
  list(options: { limit: number; before?: { createdAtMs: number; dropId: DropId } }): Promise<Drop[]>;
  /** Drops that some process must look after. */
  listRunning(): Promise<Drop[]>;
  /** Changes a drop that is still at `rev`; null where somebody else was quicker. */
  change(dropId: DropId, rev: number, change: DropChange): Promise<Drop | null>;
  markLoaded(dropId: DropId, rev: number): Promise<void>;
  /** The newest drops that sell a SKU or sold it. */
  offering(sku: Sku): Promise<Drop[]>;
  markOpened(dropId: DropId, atMs: number): Promise<void>;
  /** The first end stands. */
  markEnded(dropId: DropId, atMs: number): Promise<void>;
}

export function createDropsStore(connection: MongoConnection): DropsStore {
  const drops = collectionOf<DropDocument>(connection, 'drops');
  const read = (document: unknown): Drop => {
    const { _id, perBuyerMaxHighest: _highest, ...fields } = documentSchema.parse(document);
    return { dropId: _id, ...fields };
  };
  return {
    async ensureIndexes() {
      await drops.createIndexes([
        { key: { createdAtMs: -1, _id: -1 } },
        { key: { ended: 1 } },
        { key: { 'items.sku': 1, opensAtMs: -1 } },
      ]);
    },
    async insert(drop) {
      const { dropId, ...fields } = drop;
      await drops.insertOne(
        documentSchema.parse({ _id: dropId, perBuyerMaxHighest: drop.perBuyerMax, ...fields }),
      );
    },
    async find(dropId) {
      const found = await drops.findOne({ _id: dropId });
      return found ? read(found) : null;
    },
    async list({ limit, before }) {
      const filter = before
        ? {
            $or: [
              { createdAtMs: { $lt: before.createdAtMs } },
              { createdAtMs: before.createdAtMs, _id: { $lt: before.dropId } },
            ],
          }
        : {};
      const found = await drops.find(filter).sort({ createdAtMs: -1, _id: -1 }).limit(limit).toArray();
      return found.map(read);
    },
    async listRunning() {
      const found = await drops.find({ ended: false }).toArray();
      return found.map(read);
    },
    async change(dropId, rev, change) {
      const changed = await drops.findOneAndUpdate(
        { _id: dropId, rev },
        {
          $set: change,
          $inc: { rev: 1 },
          ...(change.perBuyerMax === undefined ? {} : { $max: { perBuyerMaxHighest: change.perBuyerMax } }),
        },
        { returnDocument: 'after' },
      );
      return changed ? read(changed) : null;
    },
    async markLoaded(dropId, rev) {
      await drops.updateOne({ _id: dropId, loadedRev: { $lt: rev } }, { $set: { loadedRev: rev } });
    },
    async offering(sku) {
      const found = await drops
        .find({ 'items.sku': sku })
        .sort({ opensAtMs: -1 })
        .limit(limits.priceHistoryDropsCount)
        .toArray();
      return found.map(read);
    },
    async markOpened(dropId, atMs) {
      await drops.updateOne({ _id: dropId }, { $set: { openedAtMs: atMs } });
    },
    async markEnded(dropId, atMs) {
      await drops.updateOne({ _id: dropId, ended: false }, { $set: { ended: true, endedAtMs: atMs } });
    },
  };
}
