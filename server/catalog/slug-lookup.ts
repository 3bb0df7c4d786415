// Which product a slug is of, as one process remembers it. Nothing has to tell it of a change: what it remembers counts
// only while that product, which is never remembered longer than it is true, has this very slug, and a slug is one
// product's alone. A slug that nobody has is asked for each time, by all who ask at once together.
import { LRUCache } from 'lru-cache';
import type { ProductId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Product } from './product.ts';

export function createSlugLookup(deps: {
  idOfSlug: (slug: string) => Promise<ProductId | null>;
  product: (productId: ProductId) => Promise<Product | null>;
}): (slug: string) => Promise<Product | null> {
  const { idOfSlug, product } = deps;
  const remembered = new LRUCache<string, ProductId>({ max: limits.productCacheCount });
  const underWay = new Map<string, Promise<ProductId | null>>();

  function ask(slug: string): Promise<ProductId | null> {
    let asking = underWay.get(slug);
    if (!asking) {
      asking = idOfSlug(slug).finally(() => underWay.delete(slug));
      underWay.set(slug, asking);
    }
    return asking;
  }

  return async slug => {
    const known = remembered.get(slug);
    const found = known === undefined ? null : await product(known);
    if (found?.slug === slug) return found;
    const productId = await ask(slug);
    if (productId === null) remembered.delete(slug);
    else remembered.set(slug, productId);
    return productId && product(productId);
  };
}
