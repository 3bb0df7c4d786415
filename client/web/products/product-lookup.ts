// Products by id and by SKU, each asked for once: a drop names its SKUs, and search its hits, but the colours and
// drawings of goods stand in the catalog.
import type { Engine } from '../engine/engine.ts';
import type { Product } from '../engine/types.ts';

export interface ProductLookup {
  /** Null where there is no such product, or the catalog did not answer. */
  readonly byId: (productId: string) => Promise<Product | null>;
  readonly bySku: (sku: string, title: string) => Promise<Product | null>;
}

/** A drop's item has its product's title, or begins with it: it is among the first hits, or it has been renamed. */
const hitsCount = 5;

export function createProductLookup({ api }: Pick<Engine, 'api'>): ProductLookup {
  const known = new Map<string, Promise<Product | null>>();
  const once = (key: string, ask: () => Promise<Product | null>) => {
    const asked = known.get(key);
    if (asked) return asked;
    const asking = ask().catch(() => {
      known.delete(key);
      return null;
    });
    known.set(key, asking);
    return asking;
  };
  const byId = (productId: string) =>
    once(`id/${productId}`, () => api.catalog.product.query({ id: productId }));
  return {
    byId,
    bySku: (sku, title) =>
      once(`sku/${sku}`, async () => {
        const { hits } = await api.search.products.query({ q: title.slice(0, 200), perPage: hitsCount });
        const products = await Promise.all(hits.map(hit => byId(hit.id)));
        return products.find(product => product?.variants.some(variant => variant.sku === sku)) ?? null;
      }),
  };
}
