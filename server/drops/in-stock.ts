// Which SKUs can be bought right now, in any running drop: what the search index says of a product's stock.
import type { Sku } from '../ids.ts';
import type { DropsStore } from './drops.store.ts';
import type { LiveStore } from './live.store.ts';

export type SkusInStock = (skus: readonly Sku[]) => Promise<ReadonlySet<Sku>>;

export function createSkusInStock(options: {
  drops: Pick<DropsStore, 'listRunning'>;
  live: Pick<LiveStore, 'look'>;
}): SkusInStock {
  return async skus => {
    const wanted = new Set(skus);
    const running = await options.drops.listRunning();
    const selling = running.filter(drop => drop.items.some(item => wanted.has(item.sku)));
    const views = await Promise.all(selling.map(drop => options.live.look(drop.dropId)));
    return new Set(
      views
        .flatMap(view => (view?.state === 'open' ? view.stock : []))
        .filter(stock => stock.available > 0 && wanted.has(stock.sku))
        .map(stock => stock.sku),
    );
  };
}
