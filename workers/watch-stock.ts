// Keeps the index's word on what can be bought true while drops run: looks at the stock now and then, and has the
// products of those SKUs indexed again that came into stock or ran out since the last look. However often a SKU
// flickers between two looks, its product is indexed once.
import type { Logger } from 'pino';
import type { Sku } from '../server/ids.ts';
import { limits } from '../server/limits.ts';
import type { Availability } from '../server/search/product-entry.ts';

export interface StockWatch {
  /** One look; how many SKUs are due for the index since the last. Never throws. */
  look(): Promise<number>;
  start(): void;
  stop(): Promise<void>;
}

export function createStockWatch(deps: {
  /** Of all that any drop sells. */
  availabilityOf: () => Promise<ReadonlyMap<Sku, Availability>>;
  reindexSkus: (skus: readonly Sku[]) => Promise<void>;
  log: Logger;
}): StockWatch {
  const { availabilityOf, reindexSkus, log } = deps;
  let known: ReadonlyMap<Sku, string> = new Map();
  let timer: NodeJS.Timeout | undefined;
  let looking: Promise<number> | undefined;
  let isFailing = false;

  async function lookOnce(): Promise<number> {
    try {
      const now = new Map(
        [...(await availabilityOf())].map(([sku, at]): [Sku, string] => [sku, stateOf(at)]),
      );
      const changed = [...new Set([...known.keys(), ...now.keys()])].filter(
        sku => known.get(sku) !== now.get(sku),
      );
      if (changed.length > 0) await reindexSkus(changed);
      // Only now: what could not be asked for is asked for with the next look.
      known = now;
      isFailing = false;
      return changed.length;
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, 'search: the stock of the drops cannot be seen at the moment');
      isFailing = true;
      return 0;
    }
  }

  const look = (): Promise<number> => {
    looking ??= lookOnce().finally(() => {
      looking = undefined;
    });
    return looking;
  };
  return {
    look,
    start() {
      timer ??= setInterval(() => void look(), limits.indexStockMs);
    },
    async stop() {
      clearInterval(timer);
      timer = undefined;
      await looking;
    },
  };
}

const stateOf = ({ inStock, drops }: Availability): string => `${inStock} ${drops.join(' ')}`;
