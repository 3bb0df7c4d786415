// Products in MongoDB, the truth of the catalog. Each change of a product raises its `rev` by one, compared and set, so
// that no change is lost under another. The same write raises `indexRev` and marks the product as due for the search
// index (the outbox); only an index that has taken that very `indexRev` clears the mark. A removed product stays as a
// tombstone until then.
import { createHash } from 'node:crypto';
import { type AnyBulkWriteOperation, mongo, Schema } from 'mongoose';
import type { ProductId, Sku } from '../ids.ts';
import type { MongoConnection } from '../platform/mongo.ts';
import { canonicalProduct, findingWordsOf } from './catalog.rules.ts';
import type { Product, ProductInput, Variant } from './product.ts';

interface ProductDocument {
  _id: ProductId;
  /** False for a tombstone: not shown, not listed, its SKUs free for others. */
  live: boolean;
  title: string;
  /** Empty where there is none, so that a change never has to unset a field. */
  description: string;
  brand: string;
  categories: string[];
  images: string[];
  popularity: number;
  variants: Variant[];
  /** Exact words for lookups while the search service is away. */
  words: string[];
  /** Of the content: the same product sent again is no change. */
  contentHash: string;
  rev: number;
  /** Counts what the index must learn: the changes, and what happens around the product (its stock). */
  indexRev: number;
  /** The indexRev that the search index has taken; 0 before the first time. */
  indexedRev: number;
  /** True while indexedRev < indexRev: MongoDB indexes a flag partially, but not a comparison of two fields. */
  indexDue: boolean;
  /** Since when, or from when on where the index refused it. */
  dueAtMs: number;
  /** The indexer that is at work on it, and until when nobody else may be: an older one must not overtake it. */
  claimedBy: string;
  claimedUntilMs: number;
  createdAtMs: number;
  updatedAtMs: number;
}

const productDocumentSchema = new Schema<ProductDocument>(
  {
    _id: { type: String, required: true },
    live: { type: Boolean, required: true },
    title: { type: String, required: true },
    description: String,
    brand: String,
    categories: [String],
    images: [String],
    popularity: Number,
    variants: [
      new Schema<Variant>(
        {
          sku: { type: String, required: true },
          title: String,
          price: { amount: { type: Number, required: true }, currency: { type: String, required: true } },
          attributes: Schema.Types.Mixed,
        },
        { _id: false },
      ),
    ],
    words: [String],
    contentHash: { type: String, required: true },
    rev: { type: Number, required: true },
    indexRev: { type: Number, required: true },
    indexedRev: { type: Number, required: true },
    indexDue: { type: Boolean, required: true },
    dueAtMs: { type: Number, required: true },
    claimedBy: { type: String, default: '' },
    claimedUntilMs: { type: Number, default: 0 },
    createdAtMs: { type: Number, required: true },
    updatedAtMs: { type: Number, required: true },
  },
  { collection: 'products', versionKey: false, minimize: false },
);
productDocumentSchema.index(
  { 'variants.sku': 1 },
  { name: 'sku', unique: true, partialFilterExpression: { live: true } },
);
productDocumentSchema.index({ dueAtMs: 1 }, { name: 'due', partialFilterExpression: { indexDue: true } });
productDocumentSchema.index({ claimedBy: 1 }, { name: 'claimed' });
productDocumentSchema.index({ words: 1 }, { name: 'words' });
productDocumentSchema.index({ live: 1, popularity: -1 }, { name: 'popularity' });

export type WriteOutcome =
  | { kind: 'created' | 'updated' | 'unchanged'; rev: number }
  | { kind: 'sku-taken'; sku: Sku; by: ProductId }
  | { kind: 'rev-differs'; rev: number }
  /** Others kept changing the same product; nothing was written. */
  | { kind: 'contended' };

/** A product as the indexer needs it: what to index, or that it is to be forgotten. */
export interface DueProduct {
  readonly productId: ProductId;
  readonly indexRev: number;
  /** Null for a tombstone. */
  readonly product: Product | null;
}

export interface ClaimedProducts {
  readonly claimed: DueProduct[];
  /** Others are at work on these. */
  readonly busy: ProductId[];
}

export interface BrowseQuery {
  /** All of them must be words of the product. */
  readonly words: readonly string[];
  readonly brands: readonly string[];
  readonly categories: readonly string[];
  readonly priceMin: number | undefined;
  readonly priceMax: number | undefined;
  readonly sort: 'popularity' | 'newest';
  readonly skip: number;
  readonly limit: number;
}

export type CatalogStore = ReturnType<typeof createCatalogStore>;

const attemptsMax = 5;

export function createCatalogStore(connection: MongoConnection) {
  const model = connection.model('Product', productDocumentSchema);

  /** Which of the SKUs is another product's; null if none is, any more. */
  async function takenSku(input: ProductInput): Promise<WriteOutcome | null> {
    const skus = input.variants.map(variant => variant.sku);
    const other = await model
      .findOne({ live: true, 'variants.sku': { $in: skus }, _id: { $ne: input.productId } }, { variants: 1 })
      .lean<Pick<ProductDocument, '_id' | 'variants'>>();
    const sku = other?.variants.find(variant => skus.includes(variant.sku))?.sku;
    return other && sku ? { kind: 'sku-taken', sku, by: other._id } : null;
  }

  type Known = Pick<ProductDocument, '_id' | 'rev' | 'contentHash' | 'live'>;

  async function update(input: ProductInput, known: Known, nowMs: number): Promise<WriteOutcome | null> {
    try {
      const result = await model.updateOne(
        { _id: input.productId, rev: known.rev },
        {
          $set: { ...contentOf(input), indexDue: true, dueAtMs: nowMs, updatedAtMs: nowMs },
          $inc: { rev: 1, indexRev: 1 },
        },
      );
      if (result.matchedCount === 0) return null;
      return { kind: known.live ? 'updated' : 'created', rev: known.rev + 1 };
    } catch (error) {
      if (isDuplicate(error)) return takenSku(input);
      throw error;
    }
  }

  /** Inserts what is new in one round; null for each that met a duplicate of any kind. */
  async function insert(inputs: readonly ProductInput[], nowMs: number): Promise<(WriteOutcome | null)[]> {
    if (inputs.length === 0) return [];
    const outcomes: (WriteOutcome | null)[] = inputs.map(() => ({ kind: 'created', rev: 1 }));
    const operations = inputs.map(
      (input): AnyBulkWriteOperation<ProductDocument> => ({
        insertOne: {
          document: {
            _id: input.productId,
            ...contentOf(input),
            rev: 1,
            indexRev: 1,
            indexedRev: 0,
            indexDue: true,
            dueAtMs: nowMs,
            claimedBy: '',
            claimedUntilMs: 0,
            createdAtMs: nowMs,
            updatedAtMs: nowMs,
          },
        },
      }),
    );
    try {
      await model.bulkWrite(operations, { ordered: false });
    } catch (error) {
      if (!(error instanceof mongo.MongoBulkWriteError)) throw error;
      const failures = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
      for (const failure of failures) {
        if (failure.code !== duplicateKey) throw error;
        outcomes[failure.index] = null;
      }
    }
    return outcomes;
  }

  return {
    ensureIndexes: () => model.createIndexes(),

    /**
     * Writes products, each on its own: what is refused takes nothing else with it. `expectedRev`, where given, must be
     * the rev that the product has now (0: absent). The ids must differ.
     */
    async write(
      inputs: readonly ProductInput[],
      options: { nowMs: number; expectedRev?: number | undefined },
    ): Promise<WriteOutcome[]> {
      const { nowMs, expectedRev } = options;
      const outcomes: WriteOutcome[] = inputs.map(() => ({ kind: 'contended' }));
      let open = inputs.map((input, index) => ({ input, index }));
      for (let attempt = 0; attempt < attemptsMax && open.length > 0; attempt += 1) {
        const found = await model
          .find(
            { _id: { $in: open.map(({ input }) => input.productId) } },
            { rev: 1, contentHash: 1, live: 1 },
          )
          .lean<Known[]>();
        const knownById = new Map(found.map(known => [known._id, known]));
        const again: typeof open = [];
        const fresh: typeof open = [];
        const settle = (entry: (typeof open)[number], outcome: WriteOutcome | null) => {
          if (outcome) outcomes[entry.index] = outcome;
          else again.push(entry);
        };
        const updates = open.map(async entry => {
          const known = knownById.get(entry.input.productId);
          const rev = known?.live ? known.rev : 0;
          if (expectedRev !== undefined && expectedRev !== rev) settle(entry, { kind: 'rev-differs', rev });
          else if (!known) fresh.push(entry);
          else if (known.live && known.contentHash === contentHashOf(entry.input)) {
            settle(entry, { kind: 'unchanged', rev: known.rev });
          } else settle(entry, await update(entry.input, known, nowMs));
        });
        await Promise.all(updates);
        const inserted = await insert(
          fresh.map(({ input }) => input),
          nowMs,
        );
        for (const [position, entry] of fresh.entries()) {
          settle(entry, inserted[position] ?? (await takenSku(entry.input)));
        }
        open = again;
      }
      return outcomes;
    },

    async remove(productId: ProductId, nowMs: number): Promise<boolean> {
      const result = await model.updateOne(
        { _id: productId, live: true },
        {
          $set: { live: false, contentHash: '', indexDue: true, dueAtMs: nowMs, updatedAtMs: nowMs },
          $inc: { rev: 1, indexRev: 1 },
        },
      );
      return result.matchedCount > 0;
    },

    async read(productId: ProductId): Promise<Product | null> {
      const found = await model.findOne({ _id: productId, live: true }).lean<ProductDocument>();
      return found && productOf(found);
    },

    /** In the order of their ids, which never change: a page neither repeats nor skips a product. */
    async page(options: {
      after: ProductId | null;
      limit: number;
    }): Promise<{ product: Product; indexed: boolean }[]> {
      const found = await model
        .find({ live: true, ...(options.after === null ? {} : { _id: { $gt: options.after } }) })
        .sort({ _id: 1 })
        .limit(options.limit)
        .lean<ProductDocument[]>();
      return found.map(document => ({ product: productOf(document), indexed: !document.indexDue }));
    },

    async withSkus(skus: readonly Sku[]): Promise<Product[]> {
      const found = await model
        .find({ live: true, 'variants.sku': { $in: [...skus] } })
        .lean<ProductDocument[]>();
      return found.map(productOf);
    },

    async browse(query: BrowseQuery): Promise<{ products: Product[]; total: number }> {
      const { words, brands, categories, priceMin, priceMax } = query;
      const price = {
        ...(priceMin === undefined ? {} : { $gte: priceMin }),
        ...(priceMax === undefined ? {} : { $lte: priceMax }),
      };
      const filter = {
        live: true,
        ...(words.length > 0 ? { words: { $all: [...words] } } : {}),
        ...(brands.length > 0 ? { brand: { $in: [...brands] } } : {}),
        ...(categories.length > 0 ? { categories: { $in: [...categories] } } : {}),
        ...(Object.keys(price).length > 0 ? { variants: { $elemMatch: { 'price.amount': price } } } : {}),
      };
      const [found, total] = await Promise.all([
        model
          .find(filter, null, {
            sort: query.sort === 'newest' ? { createdAtMs: -1, _id: 1 } : { popularity: -1, _id: 1 },
            skip: query.skip,
            limit: query.limit,
          })
          .lean<ProductDocument[]>(),
        model.countDocuments(filter),
      ]);
      return { products: found.map(productOf), total };
    },

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
        const operations = taken.map(
          ({ productId, indexRev, product }): AnyBulkWriteOperation<ProductDocument> =>
            product === null
              ? { deleteOne: { filter: { _id: productId, indexRev, live: false } } }
              : {
                  updateOne: {
                    filter: { _id: productId, indexRev },
                    update: { $set: { indexedRev: indexRev, indexDue: false } },
                  },
                },
        );
        await model.bulkWrite(operations, { ordered: false });
      }
      for (const { productId, indexRev } of refused) {
        // A change of the product meanwhile is due at once.
        await model.updateOne({ _id: productId, indexRev }, { $set: { dueAtMs: refusedUntilMs } });
      }
      await model.updateMany({ claimedBy: by }, { $set: { claimedBy: '', claimedUntilMs: 0 } });
    },

    async counts(): Promise<{ products: number; due: number }> {
      const [products, due] = await Promise.all([
        model.countDocuments({ live: true }),
        model.countDocuments({ indexDue: true }),
      ]);
      return { products, due };
    },
  };
}

const duplicateKey = 11_000;

function isDuplicate(error: unknown): boolean {
  return error instanceof mongo.MongoServerError && error.code === duplicateKey;
}

function contentHashOf(input: ProductInput): string {
  return createHash('sha256').update(canonicalProduct(input)).digest('base64url');
}

function contentOf(input: ProductInput) {
  return {
    live: true,
    title: input.title,
    description: input.description ?? '',
    brand: input.brand ?? '',
    categories: input.categories ?? [],
    images: input.images ?? [],
    popularity: input.popularity ?? 0,
    variants: input.variants,
    words: findingWordsOf(input),
    contentHash: contentHashOf(input),
  };
}

function dueOf(document: ProductDocument): DueProduct {
  return {
    productId: document._id,
    indexRev: document.indexRev,
    product: document.live ? productOf(document) : null,
  };
}

function productOf(document: ProductDocument): Product {
  return {
    productId: document._id,
    title: document.title,
    ...(document.description ? { description: document.description } : {}),
    ...(document.brand ? { brand: document.brand } : {}),
    categories: document.categories,
    images: document.images,
    popularity: document.popularity,
    variants: document.variants.map(({ sku, title, price, attributes }) => ({
      sku,
      ...(title ? { title } : {}),
      price: { amount: price.amount, currency: price.currency },
      ...(attributes ? { attributes } : {}),
    })),
    rev: document.rev,
    createdAtMs: document.createdAtMs,
    updatedAtMs: document.updatedAtMs,
  };
}
