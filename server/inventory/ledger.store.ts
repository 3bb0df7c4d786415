// The ledger of units, in MongoDB: the gate that cannot be wrong. One document for each sellable piece, made with the
// drop, never deleted. A unit belongs to at most one order; a slot of an order (`sku/0`, `sku/1` …) has at most one unit.
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { orderIdSchema, skuSchema, type DropId, type OrderId, type Sku } from '../ids.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const unitSchema = z.object({
  /** `drop/sku/serial` */
  _id: z.string(),
  drop: z.string(),
  sku: skuSchema,
  serial: z.int().min(1),
  order: orderIdSchema.nullable(),
  slot: z.string().nullable(),
});
type Unit = z.infer<typeof unitSchema>;

export interface ClaimRequest {
  readonly orderId: OrderId;
  readonly dropId: DropId;
  /** `proposed` is the first serial that Redis proposes for the line; beyond the SKU's total it wraps around. */
  readonly lines: readonly {
    readonly sku: Sku;
    readonly quantity: number;
    readonly proposed: number | null;
  }[];
}

export type ClaimOutcome =
  | { kind: 'claimed'; serials: { sku: Sku; serial: number }[] }
  /** What was claimed before stays the order's until `release`. */
  | { kind: 'none-free'; sku: Sku };

export interface Ledger {
  ensureIndexes(): Promise<void>;
  /** Makes the units with serials `from..to`; again for the same serials changes nothing. */
  createUnits(
    dropId: DropId,
    ranges: readonly { readonly sku: Sku; readonly from: number; readonly to: number }[],
  ): Promise<void>;
  /** Claims a unit for each slot of an order. Claiming again finds the order's own units. */
  claim(request: ClaimRequest): Promise<ClaimOutcome>;
  /** Gives all of an order's units back. */
  release(orderId: OrderId): Promise<void>;
  /** Gives single units of an order back; those that are not its own are left alone. */
  releaseUnits(request: {
    orderId: OrderId;
    dropId: DropId;
    units: readonly { readonly sku: Sku; readonly serial: number }[];
  }): Promise<void>;
  serialsOf(orderId: OrderId): Promise<{ sku: Sku; serial: number }[]>;
  /** Those of these orders that own a unit. */
  ownersAmong(orderIds: readonly OrderId[]): Promise<Set<OrderId>>;
  countClaimed(dropId: DropId, sku: Sku): Promise<number>;
  countByDrop(dropId: DropId): Promise<{ sku: Sku; total: number; claimed: number }[]>;
}

const insertBatchCount = 2_000;
const lookupBatchCount = 1_000;
/** How long a SKU's number of units is believed: it only spreads the first tries, so staleness costs nothing but them. */
const totalTtlMs = 10_000;

export function createLedger(connection: MongoConnection): Ledger {
  const units = collectionOf<Unit>(connection, 'units');
  const totals = new LRUCache<string, number, { dropId: DropId; sku: Sku }>({
    max: 10_000,
    ttl: totalTtlMs,
    // Forgotten while it is looked up, it answers those who asked before, and is not kept.
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context }) =>
      units.countDocuments({ drop: context.dropId, sku: context.sku }),
  });

  const claimSlot = async (slot: Slot): Promise<number | null> => {
    const { orderId, dropId, sku } = slot;
    const claim = { $set: { order: orderId, slot: slot.name } };
    try {
      if (slot.proposed !== null) {
        const _id = unitId(dropId, sku, slot.proposed);
        const proposed = await units.findOneAndUpdate({ _id, order: null }, claim, {
          returnDocument: 'after',
        });
        if (proposed) return proposed.serial;
      }
      const free = await units.findOneAndUpdate({ drop: dropId, sku, order: null }, claim, {
        sort: { serial: 1 },
        returnDocument: 'after',
      });
      if (free) return free.serial;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
    }
    // Either an earlier try has this slot (the unique index said so), or nothing is free any more.
    const own = await units.findOne({ order: orderId, slot: slot.name });
    return own?.serial ?? null;
  };

  return {
    async ensureIndexes() {
      await units.createIndexes([
        { key: { drop: 1, sku: 1, order: 1, serial: 1 } },
        { key: { order: 1, slot: 1 }, unique: true, partialFilterExpression: { order: { $gt: '' } } },
      ]);
    },
    async createUnits(dropId, ranges) {
      let batch: Unit[] = [];
      const flush = async () => {
        if (batch.length > 0) await insertMissing(units, batch);
        batch = [];
      };
      for (const { sku, from, to } of ranges) {
        for (let serial = from; serial <= to; serial += 1) {
          batch.push({
            _id: unitId(dropId, sku, serial),
            drop: dropId,
            sku,
            serial,
            order: null,
            slot: null,
          });
          if (batch.length === insertBatchCount) await flush();
        }
        totals.delete(`${dropId}/${sku}`);
      }
      await flush();
    },
    async claim({ orderId, dropId, lines }) {
      const serials: { sku: Sku; serial: number }[] = [];
      // Every order asks in the same order of SKUs: of two that want the same two last units, one gets both. Asking
      // crosswise, each would get one, fail over the other, and both units would stay behind.
      const inTurn = lines.toSorted((a, b) => (a.sku < b.sku ? -1 : 1));
      for (const { sku, quantity, proposed } of inTurn) {
        const total = (await totals.fetch(`${dropId}/${sku}`, { context: { dropId, sku } })) ?? 0;
        for (let index = 0; index < quantity; index += 1) {
          const first = proposed === null || total === 0 ? null : ((proposed + index - 1) % total) + 1;
          const serial = await claimSlot({ orderId, dropId, sku, name: `${sku}/${index}`, proposed: first });
          if (serial === null) return { kind: 'none-free', sku };
          serials.push({ sku, serial });
        }
      }
      const placeOf = new Map(lines.map(({ sku }, index) => [sku, index]));
      const asAsked = serials.toSorted((a, b) => (placeOf.get(a.sku) ?? 0) - (placeOf.get(b.sku) ?? 0));
      return { kind: 'claimed', serials: asAsked };
    },
    async release(orderId) {
      await units.updateMany({ order: orderId }, { $set: { order: null, slot: null } });
    },
    async releaseUnits({ orderId, dropId, units: named }) {
      const ids = named.map(({ sku, serial }) => unitId(dropId, sku, serial));
      await units.updateMany({ _id: { $in: ids }, order: orderId }, { $set: { order: null, slot: null } });
    },
    async serialsOf(orderId) {
      const own = await units.find({ order: orderId }).sort({ slot: 1 }).toArray();
      return own.map(({ sku, serial }) => ({ sku, serial }));
    },
    countClaimed: (dropId, sku) => units.countDocuments({ drop: dropId, sku, order: { $ne: null } }),
    async ownersAmong(orderIds) {
      const owners = new Set<OrderId>();
      for (let from = 0; from < orderIds.length; from += lookupBatchCount) {
        const order = { $in: orderIds.slice(from, from + lookupBatchCount) };
        const found = await units.find({ order }, { projection: { _id: 0, order: 1 } }).toArray();
        for (const document of found) owners.add(ownedSchema.parse(document).order);
      }
      return owners;
    },
    async countByDrop(dropId) {
      const rows = await units
        .aggregate([
          { $match: { drop: dropId } },
          {
            $group: {
              _id: '$sku',
              total: { $sum: 1 },
              claimed: { $sum: { $cond: [{ $eq: ['$order', null] }, 0, 1] } },
            },
          },
        ])
        .toArray();
      return rows.map(row => {
        const { _id, ...counts } = countSchema.parse(row);
        return { sku: _id, ...counts };
      });
    },
  };
}

const ownedSchema = z.object({ order: orderIdSchema });

interface Slot {
  readonly orderId: OrderId;
  readonly dropId: DropId;
  readonly sku: Sku;
  readonly name: string;
  readonly proposed: number | null;
}

const countSchema = z.object({ _id: skuSchema, total: z.int(), claimed: z.int() });

function unitId(dropId: DropId, sku: Sku, serial: number): string {
  return `${dropId}/${sku}/${serial}`;
}

type Units = ReturnType<typeof collectionOf<Unit>>;

/** Units that exist already are left alone, with the order that they may have. */
async function insertMissing(units: Units, batch: Unit[]): Promise<void> {
  try {
    await units.insertMany(batch, { ordered: false });
  } catch (error) {
    if (!isDuplicateKey(error) || !onlyDuplicates(error)) throw error;
  }
}

/** A bulk write names its first error; another one behind it must not pass for a duplicate. */
function onlyDuplicates(error: unknown): boolean {
  const all = error instanceof Error && 'writeErrors' in error ? error.writeErrors : [];
  const each: unknown[] = Array.isArray(all) ? all : [all];
  return each.every(isDuplicateKey);
}
