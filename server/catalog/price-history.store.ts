// The history of prices, in MongoDB: lines are added and never changed. A change of a product carries its lines in the same
// write (`priceLog`), and they are moved here afterwards; whoever dies in between leaves them where reads look, too.
import { z } from 'zod';
import type { ProductId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import { collectionOf, isDuplicateKey, type MongoConnection } from '../platform/mongo.ts';
import type { PriceChange, PriceEntry } from './price-history.rules.ts';
import type { ProductModel } from './product-document.ts';

const lineSchema = z.object({
  _id: z.string(),
  sku: z.string(),
  currency: z.string(),
  amount: z.int().nullable(),
  atMs: z.number(),
});
type Line = z.infer<typeof lineSchema>;

export function createPriceHistory(connection: MongoConnection, model: ProductModel) {
  const lines = collectionOf<Line>(connection, 'priceHistory');

  async function append(changes: readonly PriceChange[]): Promise<void> {
    const documents = changes.map(({ id, sku, currency, amount, atMs }) => ({
      _id: id,
      sku,
      currency,
      amount,
      atMs,
    }));
    try {
      await lines.insertMany(documents, { ordered: false });
    } catch (error) {
      // A line that is there already is the same line.
      if (!isDuplicateKey(error)) throw error;
    }
  }

  return {
    async ensurePriceIndexes(): Promise<void> {
      await lines.createIndexes([{ key: { sku: 1, currency: 1, atMs: -1 } }]);
    },

    /** Moves what changes of these products have left with them. */
    async takePriceLogs(productIds: readonly ProductId[]): Promise<void> {
      const found = await model
        .find({ _id: { $in: [...productIds] }, 'priceLog.0': { $exists: true } }, { priceLog: 1 })
        .lean<{ _id: ProductId; priceLog: PriceChange[] }[]>();
      if (found.length === 0) return;
      await append(found.flatMap(({ priceLog }) => priceLog));
      await model.bulkWrite(
        found.map(({ _id, priceLog }) => ({
          updateOne: {
            filter: { _id },
            update: { $pull: { priceLog: { id: { $in: priceLog.map(({ id }) => id) } } } },
          },
        })),
        { ordered: false },
      );
    },

    /** Oldest first, the newest of them where there are many. */
    async pricesOf(sku: Sku, currency: string): Promise<PriceEntry[]> {
      const [kept, left] = await Promise.all([
        lines.find({ sku, currency }).sort({ atMs: -1 }).limit(limits.priceHistoryCount).toArray(),
        model
          .find({ live: true, 'variants.sku': sku }, { priceLog: 1 })
          .lean<{ priceLog?: PriceChange[] }[]>(),
      ]);
      const found = new Map<string, PriceEntry>();
      for (const { priceLog = [] } of left)
        for (const { id, atMs, amount, ...line } of priceLog)
          if (line.sku === sku && line.currency === currency) found.set(id, { atMs, amount });
      for (const { _id, atMs, amount } of kept.map(line => lineSchema.parse(line)))
        found.set(_id, { atMs, amount });
      return [...found]
        .toSorted(([a, one], [b, other]) => one.atMs - other.atMs || revOf(a) - revOf(b))
        .map(([, entry]) => entry)
        .slice(-limits.priceHistoryCount);
    },
  };
}

function revOf(id: string): number {
  return Number(id.split(' ').at(-1));
}
