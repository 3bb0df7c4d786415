// The face of what drops asked for a SKU: for the catalog's history, and for the lowest price beside a drop's own.
import { LRUCache } from 'lru-cache';
import type { AppliedPrice, DropOffer, PriceEntry } from '../catalog/price-history.rules.ts';
import type { DropId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Drop } from './drop.ts';
import { endOf, lowestBefore, offerOf } from './drop-offers.rules.ts';

/** Drops that sell a SKU or sold it, the newest first. */
export type DropsOffering = (sku: Sku) => Promise<readonly Drop[]>;

export function createDropOffers(offering: DropsOffering) {
  return async (sku: Sku, currency: string): Promise<DropOffer[]> => {
    const found = await offering(sku);
    return found.flatMap(drop => {
      const prices = offerOf(drop, { sku, currency });
      return prices.length > 0 ? [{ dropId: drop.dropId, endMs: endOf(drop), prices }] : [];
    });
  };
}

/** By SKU, in minor units of the drop's currency; what is not reduced is missing. */
export type LowestBefore = (drop: Drop) => Promise<ReadonlyMap<Sku, number>>;

export function createLowestBefore(deps: {
  offersOf: (sku: Sku, currency: string) => Promise<readonly DropOffer[]>;
  /** The catalog's history; empty where the public is shown no price of it in that currency. */
  listed: (sku: Sku, currency: string) => Promise<readonly PriceEntry[]>;
  clock: { now(): number };
}): LowestBefore {
  const { offersOf, listed, clock } = deps;
  const lowest = async (drop: Drop) => {
    const found = new Map<Sku, number>();
    for (const { sku, price } of drop.items) {
      const [entries, offers] = await Promise.all([
        listed(sku, price.currency),
        offersOf(sku, price.currency),
      ]);
      const others = offers.flatMap(({ dropId, prices }): readonly AppliedPrice[] =>
        dropId === drop.dropId ? [] : prices,
      );
      const own = offerOf(drop, { sku, currency: price.currency });
      const amount = lowestBefore({ own, listed: entries, others, nowMs: clock.now() });
      if (amount !== null) found.set(sku, amount);
    }
    return found;
  };
  // A crowd asks for one drop again and again; what is compared with changes by days.
  const remembered = new LRUCache<`${DropId} ${number}`, ReadonlyMap<Sku, number>, Drop>({
    max: 200,
    ttl: limits.lowestBeforeTtlMs,
    ignoreFetchAbort: true,
    fetchMethod: (_key, _stale, { context }) => lowest(context),
  });
  return async drop => (await remembered.fetch(`${drop.dropId} ${drop.rev}`, { context: drop })) ?? new Map();
}
