// The same sources, with a word after each portion that was read of any of them: for whoever shows how far it is, or has
// other work to do meanwhile.
import type { AuditSources } from './audit-sources.ts';

export function paceSources(
  sources: AuditSources,
  portionCount: number,
  onPortion: (read: number) => Promise<void> | void,
): AuditSources {
  async function* paced<T>(items: AsyncIterable<T>): AsyncGenerator<T> {
    let read = 0;
    for await (const item of items) {
      yield item;
      read += 1;
      if (read % portionCount === 0) await onPortion(portionCount);
    }
    await onPortion(read % portionCount);
  }
  return {
    ...sources,
    drops: () => paced(sources.drops()),
    orders: () => paced(sources.orders()),
    ownedUnits: () => paced(sources.ownedUnits()),
    unitsOf: (dropId, sku) => paced(sources.unitsOf(dropId, sku)),
    payments: () => paced(sources.payments()),
    holds: () => paced(sources.holds()),
    cards: () => paced(sources.cards()),
    coupons: () => paced(sources.coupons()),
    calls: dropId => paced(sources.calls(dropId)),
    leaves: (dropId, lanes) => paced(sources.leaves(dropId, lanes)),
  };
}
