// Products as one process remembers them: read once, however many ask at the same time, and forgotten when they change.
// A read that was on its way while its product changed is handed to those who asked before the change, and not
// remembered.
import { LRUCache } from 'lru-cache';
import type { ProductId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Product } from './product.ts';

export interface ProductCache {
  /** Null for an absent product; that is remembered, too. */
  get(productId: ProductId): Promise<Product | null>;
  forget(productIds: readonly ProductId[]): void;
  forgetAll(): void;
}

export function createProductCache(
  read: (productId: ProductId) => Promise<Product | null>,
  /** Told of each that was in memory, and of each that joined a read under way. */
  onServed: (by: 'memory' | 'flight') => void = () => undefined,
): ProductCache {
  const remembered = new LRUCache<ProductId, { answer: Promise<Product | null> }>({
    max: limits.productCacheCount,
    // Changes are announced; this bounds how long a lost announcement matters.
    ttl: limits.productCacheTtlMs,
  });
  const underWay = new Map<ProductId, Promise<Product | null>>();

  function fetch(productId: ProductId): Promise<Product | null> {
    const flight = read(productId)
      .then(product => {
        if (underWay.get(productId) === flight)
          remembered.set(productId, { answer: Promise.resolve(product) });
        return product;
      })
      .finally(() => {
        if (underWay.get(productId) === flight) underWay.delete(productId);
      });
    underWay.set(productId, flight);
    return flight;
  }

  return {
    get(productId) {
      const known = remembered.get(productId);
      if (known) {
        onServed('memory');
        return known.answer;
      }
      const flight = underWay.get(productId);
      if (!flight) return fetch(productId);
      onServed('flight');
      return flight;
    },
    forget(productIds) {
      for (const productId of productIds) {
        remembered.delete(productId);
        underWay.delete(productId);
      }
    },
    forgetAll() {
      remembered.clear();
      underWay.clear();
    },
  };
}
