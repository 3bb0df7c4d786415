// A product as MongoDB keeps it, the indexes that its queries use, and the way from one shape to the other. Each change
// of a product raises its `rev` by one, compared and set, so that no change is lost under another. The same write raises
// `indexRev` and marks the product as due for the search index (the outbox); only an index that has taken that very
// `indexRev` clears the mark. A removed product stays as a tombstone until then.
import { createHash } from 'node:crypto';
import { type Model, Schema } from 'mongoose';
import type { ProductId } from '../ids.ts';
import type { MongoConnection } from '../platform/mongo.ts';
import type { PriceChange } from './price-history.rules.ts';
import { canonicalProduct, findingWordsOf, sortedPrices, sortedTiers } from './catalog.rules.ts';
import {
  type Product,
  type ProductInput,
  type ProductStatus,
  productStatusSchema,
  type TaxClass,
  taxClassSchema,
  type Variant,
} from './product.ts';

export interface ProductDocument {
  _id: ProductId;
  /** False for a tombstone: not shown, not listed, its SKUs free for others. */
  live: boolean;
  title: string;
  /** One product's among the live ones; the page of the product is found by it. */
  slug: string;
  status: ProductStatus;
  taxClass: TaxClass;
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
  /** Lines of the price history that came with the last changes and were not moved there yet. */
  priceLog?: PriceChange[];
  /** The repricings that changed it, the last ones last. */
  repricings?: string[];
}

const priceFields = { amount: { type: Number, required: true }, currency: { type: String, required: true } };

const productDocumentSchema = new Schema<ProductDocument>(
  {
    _id: { type: String, required: true },
    live: { type: Boolean, required: true },
    title: { type: String, required: true },
    slug: { type: String, required: true },
    status: { type: String, enum: productStatusSchema.options, required: true },
    taxClass: { type: String, enum: taxClassSchema.options, required: true },
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
          barcode: String,
          options: Schema.Types.Mixed,
          price: priceFields,
          prices: { type: [new Schema(priceFields, { _id: false })], default: undefined },
          tiers: {
            type: [
              new Schema({ from: { type: Number, required: true }, price: priceFields }, { _id: false }),
            ],
            default: undefined,
          },
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
    priceLog: { type: [Schema.Types.Mixed], default: undefined },
    repricings: { type: [String], default: undefined },
  },
  { collection: 'products', versionKey: false, minimize: false },
);
productDocumentSchema.index(
  { 'variants.sku': 1 },
  { name: 'sku', unique: true, partialFilterExpression: { live: true } },
);
productDocumentSchema.index(
  { slug: 1 },
  // Products of an older version have none until `bringForward` has made one.
  { name: 'slug', unique: true, partialFilterExpression: { live: true, slug: { $exists: true } } },
);
productDocumentSchema.index({ dueAtMs: 1 }, { name: 'due', partialFilterExpression: { indexDue: true } });
productDocumentSchema.index({ claimedBy: 1 }, { name: 'claimed' });
// The lists: all of the shop's, and the public's, which are of one status.
productDocumentSchema.index({ live: 1, status: 1, _id: 1 }, { name: 'listed' });
// What is browsed while the search service is away: by words, brand and category, in either order.
productDocumentSchema.index({ live: 1, status: 1, popularity: -1, _id: 1 }, { name: 'popular' });
productDocumentSchema.index({ live: 1, status: 1, createdAtMs: -1, _id: 1 }, { name: 'newest' });
productDocumentSchema.index({ live: 1, status: 1, words: 1 }, { name: 'word' });
productDocumentSchema.index({ live: 1, status: 1, brand: 1 }, { name: 'brand' });
productDocumentSchema.index({ live: 1, status: 1, categories: 1 }, { name: 'category' });

/** Indexes of earlier versions that others have taken the place of. */
export const formerIndexes = ['words', 'popularity'] as const;

export type ProductModel = Model<ProductDocument>;

export function productModelOf(connection: MongoConnection): ProductModel {
  return connection.model('Product', productDocumentSchema);
}

/** What everybody may see. */
export const shown = { live: true, status: 'active' } as const;

/** Of what the product is, but for its slug. */
export function contentHashOf(input: ProductInput): string {
  return createHash('sha256').update(canonicalProduct(input)).digest('base64url');
}

/** A few letters that are this product's alone, for a slug that is another's already. */
export function slugMarkOf(productId: ProductId): string {
  return createHash('sha256').update(productId).digest('hex').slice(0, 10);
}

export function contentOf(input: ProductInput) {
  return {
    live: true,
    title: input.title,
    status: input.status ?? 'active',
    taxClass: input.taxClass ?? 'standard',
    description: input.description ?? '',
    brand: input.brand ?? '',
    categories: input.categories ?? [],
    images: input.images ?? [],
    popularity: input.popularity ?? 0,
    variants: input.variants.map(({ prices = [], tiers = [], ...variant }) => ({
      ...variant,
      ...(prices.length > 0 ? { prices: sortedPrices(prices) } : {}),
      ...(tiers.length > 0 ? { tiers: sortedTiers(tiers) } : {}),
    })),
    words: findingWordsOf(input),
    contentHash: contentHashOf(input),
  };
}

export function productOf(document: ProductDocument): Product {
  return {
    productId: document._id,
    title: document.title,
    slug: document.slug,
    status: document.status,
    taxClass: document.taxClass,
    ...(document.description ? { description: document.description } : {}),
    ...(document.brand ? { brand: document.brand } : {}),
    categories: document.categories,
    images: document.images,
    popularity: document.popularity,
    variants: document.variants.map(variantOf),
    rev: document.rev,
    createdAtMs: document.createdAtMs,
    updatedAtMs: document.updatedAtMs,
  };
}

function variantOf(variant: Variant): Variant {
  const { sku, title, barcode, options, price, prices = [], tiers = [], attributes } = variant;
  return {
    sku,
    ...(title ? { title } : {}),
    ...(barcode ? { barcode } : {}),
    ...(options ? { options } : {}),
    price: { amount: price.amount, currency: price.currency },
    ...(prices.length > 0 ? { prices: prices.map(({ amount, currency }) => ({ amount, currency })) } : {}),
    ...(tiers.length > 0
      ? {
          tiers: tiers.map(tier => ({
            from: tier.from,
            price: { amount: tier.price.amount, currency: tier.price.currency },
          })),
        }
      : {}),
    ...(attributes ? { attributes } : {}),
  };
}
