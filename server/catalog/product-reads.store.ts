// Reads of products. What everybody may see is `shown`; the shop sees drafts and archived products, too.
import type { ProductId, Sku } from '../ids.ts';
import { type Product, type ProductStatus, productStatusSchema } from './product.ts';
import { type ProductDocument, type ProductModel, productOf, shown } from './product-document.ts';

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

export interface PageQuery {
  readonly after: ProductId | null;
  readonly limit: number;
  /** Of these statuses; without it, of any. */
  readonly statuses?: readonly ProductStatus[];
}

export interface RepricedProduct {
  readonly product: Product;
  /** The last repricings that changed it. */
  readonly repricings: readonly string[];
}

export function createProductReads(model: ProductModel) {
  return {
    /** Null where there is none that everybody may see. */
    async read(productId: ProductId): Promise<Product | null> {
      const found = await model.findOne({ _id: productId, ...shown }).lean<ProductDocument>();
      return found && productOf(found);
    },

    /** Drafts and archived products, too; and whether search shows it as it stands. */
    async readAny(productId: ProductId): Promise<{ product: Product; indexed: boolean } | null> {
      const found = await model.findOne({ _id: productId, live: true }).lean<ProductDocument>();
      return found && { product: productOf(found), indexed: !found.indexDue };
    },

    async idOfSlug(slug: string): Promise<ProductId | null> {
      const found = await model
        .findOne({ live: true, slug }, { _id: 1 })
        .lean<Pick<ProductDocument, '_id'>>();
      return found && found._id;
    },

    /** In the order of their ids, which never change: a page neither repeats nor skips a product. */
    async page(query: PageQuery): Promise<{ product: Product; indexed: boolean }[]> {
      const { after, limit, statuses = productStatusSchema.options } = query;
      const found = await model
        .find({
          live: true,
          status: { $in: [...statuses] },
          ...(after === null ? {} : { _id: { $gt: after } }),
        })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<ProductDocument[]>();
      return found.map(document => ({ product: productOf(document), indexed: !document.indexDue }));
    },

    /** The next products of a repricing, and which repricings each was changed by. */
    async repricePage(query: {
      after: ProductId | null;
      limit: number;
      brand?: string | undefined;
      category?: string | undefined;
    }): Promise<RepricedProduct[]> {
      const { after, limit } = query;
      const found = await model
        .find({ ...repriceFilter(query), ...(after === null ? {} : { _id: { $gt: after } }) })
        .sort({ _id: 1 })
        .limit(limit)
        .lean<ProductDocument[]>();
      return found.map(repricedOf);
    },

    countToReprice(query: { brand?: string | undefined; category?: string | undefined }): Promise<number> {
      return model.countDocuments(repriceFilter(query));
    },

    async readToReprice(productId: ProductId): Promise<RepricedProduct | null> {
      const found = await model.findOne({ _id: productId, live: true }).lean<ProductDocument>();
      return found && repricedOf(found);
    },

    /** What may be sold: a drop is planned while its products are drafts. */
    async withSkus(skus: readonly Sku[]): Promise<Product[]> {
      const found = await model
        .find({ live: true, 'variants.sku': { $in: [...skus] }, status: { $ne: 'archived' } })
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
        ...shown,
        // Not `$all`: of several equalities any MongoDB takes one for its range of the index.
        ...(words.length > 0 ? { $and: words.map(word => ({ words: word })) } : {}),
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

    /** Drafts and archived products, too. */
    count: () => model.countDocuments({ live: true }),
  };
}

function repricedOf(document: ProductDocument): RepricedProduct {
  return { product: productOf(document), repricings: document.repricings ?? [] };
}

function repriceFilter({ brand, category }: { brand?: string | undefined; category?: string | undefined }) {
  return {
    live: true,
    ...(brand === undefined ? {} : { brand }),
    ...(category === undefined ? {} : { categories: category }),
  };
}
