// The outbox to the search index: which products it has yet to take, and who is at work on them.
import type { AnyBulkWriteOperation } from 'mongoose';
import type { ProductId, Sku } from '../ids.ts';
import type { Product } from './product.ts';
import { type ProductDocument, type ProductModel, productOf } from './product-document.ts';

/** A product as the indexer needs it: what to index, or that it is to be forgotten. */
export interface DueProduct {
  readonly productId: ProductId;
  readonly indexRev: number;
  /** Null for what is not to be found: a tombstone, a draft, an archived product. */
  readonly product: Product | null;
}

export interface ClaimedProducts {
  readonly claimed: DueProduct[];
  /** Others are at work on these. */
  readonly busy: ProductId[];
}

export function createIndexOutbox(model: ProductModel) {
  return {
    /** How many the index has yet to take. The bound makes it a range of the index of what is due. */
    dueCount: () => model.countDocuments({ indexDue: true, dueAtMs: { $gte: 0 } }),

    /** Makes every product due, for an index that begins anew. */
    async touchAll(nowMs: number): Promise<void> {
      await model.updateMany({}, { $set: { indexDue: true, dueAtMs: nowMs }, $inc: { indexRev: 1 } });
    },

    /** Makes products due again although they did not change: what stands about them in the index did. */
    async touch(skus: readonly Sku[], nowMs: number): Promise<number> {
      const result = await model.updateMany(
        { live: true, 'variants.sku': { $in: [...skus] } },
        { $set: { indexDue: true, dueAtMs: nowMs }, $inc: { indexRev: 1 } },
      );
      return result.modifiedCount;
    },

    /** Makes the products due that have all the words of one of these lists. */
    async touchWords(lists: readonly (readonly string[])[], nowMs: number): Promise<number> {
      const filters = lists
        .filter(words => words.length > 0)
        .map(words => ({
          live: true,
          status: 'active' as const,
          $and: words.map(word => ({ words: word })),
        }));
      if (filters.length === 0) return 0;
      let touchedCount = 0;
      for (const filter of filters) {
        const result = await model.updateMany(filter, {
          $set: { indexDue: true, dueAtMs: nowMs },
          $inc: { indexRev: 1 },
        });
        touchedCount += result.modifiedCount;
      }
      return touchedCount;
    },

    /**
     * Claims due products for one indexer, the oldest change first, so that none waits for ever behind busier ones.
     * Two that indexed one product at the same time could leave its older state in the index; so nobody else gets it
     * until the claim is given back or has run out.
     */
    async claimDue(claim: {
      by: string;
      limit: number;
      nowMs: number;
      untilMs: number;
    }): Promise<DueProduct[]> {
      const past = { $lte: claim.nowMs };
      const free = { indexDue: true, dueAtMs: past, claimedUntilMs: past };
      const candidates = await model
        .find(free, { _id: 1 })
        .sort({ dueAtMs: 1 })
        .limit(claim.limit)
        .lean<Pick<ProductDocument, '_id'>[]>();
      if (candidates.length === 0) return [];
      const ids = candidates.map(({ _id }) => _id);
      await model.updateMany(
        { _id: { $in: ids }, ...free },
        { $set: { claimedBy: claim.by, claimedUntilMs: claim.untilMs } },
      );
      const claimed = await model.find({ _id: { $in: ids }, claimedBy: claim.by }).lean<ProductDocument[]>();
      return claimed.map(dueOf);
    },

    /** The ids of a page of products, tombstones included, for a reindex: a range of the ids and nothing else. */
    async pageIds(options: { after: ProductId | null; limit: number }): Promise<ProductId[]> {
      const found = await model
        .find(options.after === null ? {} : { _id: { $gt: options.after } }, { _id: 1 })
        .sort({ _id: 1 })
        .limit(options.limit)
        .lean<Pick<ProductDocument, '_id'>[]>();
      return found.map(({ _id }) => _id);
    },

    /** Claims these products, due or not. Those that an indexer is at work on are left to it, and answered as busy. */
    async claimIds(claim: {
      by: string;
      ids: readonly ProductId[];
      nowMs: number;
      untilMs: number;
    }): Promise<ClaimedProducts> {
      const { by, ids, nowMs, untilMs } = claim;
      await model.updateMany(
        { _id: { $in: [...ids] }, claimedUntilMs: { $lte: nowMs } },
        { $set: { claimedBy: by, claimedUntilMs: untilMs } },
      );
      const found = await model.find({ _id: { $in: [...ids] } }).lean<ProductDocument[]>();
      return {
        claimed: found.filter(({ claimedBy }) => claimedBy === by).map(dueOf),
        busy: found.filter(({ claimedBy }) => claimedBy !== by).map(({ _id }) => _id),
      };
    },

    /** Products as they stand, tombstones included, and whether the index has taken them so; others are left out. */
    async indexStates(
      productIds: readonly ProductId[],
    ): Promise<(DueProduct & { readonly indexed: boolean })[]> {
      const found = await model.find({ _id: { $in: [...productIds] } }).lean<ProductDocument[]>();
      return found.map(document => ({ ...dueOf(document), indexed: !document.indexDue }));
    },

    /**
     * Ends a claim: clears the marks of what the index has taken, unless it has changed again meanwhile, and gives
     * everything back. What the index refused is due again at `refusedUntilMs`.
     */
    async endClaim(claim: {
      by: string;
      taken: readonly DueProduct[];
      refused: readonly DueProduct[];
      refusedUntilMs: number;
    }): Promise<void> {
      const { by, taken, refused, refusedUntilMs } = claim;
      if (taken.length > 0) {
        const operations = taken.flatMap(
          ({ productId, indexRev, product }): AnyBulkWriteOperation<ProductDocument>[] => [
            ...(product === null
              ? [{ deleteOne: { filter: { _id: productId, indexRev, live: false } } }]
              : []),
            {
              updateOne: {
                filter: { _id: productId, indexRev },
                update: { $set: { indexedRev: indexRev, indexDue: false } },
              },
            },
          ],
        );
        await model.bulkWrite(operations, { ordered: false });
      }
      for (const { productId, indexRev } of refused) {
        // A change of the product meanwhile is due at once.
        await model.updateOne({ _id: productId, indexRev }, { $set: { dueAtMs: refusedUntilMs } });
      }
      await model.updateMany({ claimedBy: by }, { $set: { claimedBy: '', claimedUntilMs: 0 } });
    },
  };
}

function dueOf(document: ProductDocument): DueProduct {
  return {
    productId: document._id,
    indexRev: document.indexRev,
    product: document.live && document.status === 'active' ? productOf(document) : null,
  };
}
