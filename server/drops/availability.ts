// What the drops say of SKUs: whether one can be bought right now, and in which drops it is sold. What the search
// index shows of a product's availability.
import type { DropId, Sku } from '../ids.ts';
import type { DropsStore } from './drops.store.ts';
import type { LiveStore } from './live.store.ts';

export interface SkuAvailability {
  /** Units can be held right now, in any drop. */
  readonly inStock: boolean;
  /** The drops that sell it and are not closed, whether they have opened or not. */
  readonly drops: readonly DropId[];
}

/** For these SKUs, or for all that any drop sells; those that none sells are missing from the answer. */
export type ReadAvailability = (skus?: readonly Sku[]) => Promise<ReadonlyMap<Sku, SkuAvailability>>;

export function createReadAvailability(options: {
  drops: Pick<DropsStore, 'listRunning'>;
  live: Pick<LiveStore, 'look'>;
}): ReadAvailability {
  return async skus => {
    const wanted = skus && new Set(skus);
    const running = await options.drops.listRunning();
    const selling = running.filter(drop => !wanted || drop.items.some(item => wanted.has(item.sku)));
    const found = new Map<Sku, SkuAvailability>();
    const views = await Promise.all(
      selling.map(async drop => ({ drop, view: await options.live.look(drop.dropId) })),
    );
    for (const { drop, view } of views) {
      if (view?.state === 'closed') continue;
      const available = new Set(
        view?.state === 'open' ? view.stock.filter(stock => stock.available > 0).map(stock => stock.sku) : [],
      );
      for (const { sku } of drop.items) {
        if (wanted && !wanted.has(sku)) continue;
        const known = found.get(sku) ?? { inStock: false, drops: [] };
        found.set(sku, {
          inStock: known.inStock || available.has(sku),
          drops: [...known.drops, drop.dropId],
        });
      }
    }
    return found;
  };
}
