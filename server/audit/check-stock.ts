// Invariant 1: the stock in Redis adds up, and what it calls sold is what paid orders own.
import type { Finding } from './finding.ts';

export interface StockSource {
  /** Every drop there is, and what Redis says of it; null where Redis does not know it. */
  drops(): AsyncIterable<{
    readonly dropId: string;
    readonly seedHash: string;
    readonly ended: boolean;
    readonly totals: ReadonlyMap<string, number>;
    readonly view: StockView | null;
  }>;
}

interface StockView {
  readonly stock: readonly {
    readonly sku: string;
    readonly total: number;
    readonly available: number;
    readonly held: number;
    readonly sold: number;
    readonly withdrawn: number;
  }[];
}

/** `soldUnits` counts the units of paid orders by `drop/sku`, from the ledger. */
export async function checkStock(
  source: StockSource,
  soldUnits: ReadonlyMap<string, number>,
  report: (finding: Finding) => void,
): Promise<{ dropsCount: number }> {
  let dropsCount = 0;
  for await (const { dropId, ended, totals, view } of source.drops()) {
    dropsCount += 1;
    if (!view) {
      if (!ended) report({ invariant: 1, document: dropId, what: 'Redis does not know this drop' });
      continue;
    }
    for (const { sku, total, available, held, sold, withdrawn } of view.stock) {
      const document = `${dropId}/${sku}`;
      const wrong = (what: string) => report({ invariant: 1, document, what });
      if (available + held + sold + withdrawn !== total) {
        wrong(
          `available ${available} + held ${held} + sold ${sold} + withdrawn ${withdrawn} is not the total ${total}`,
        );
      }
      if (Math.min(available, held, sold, withdrawn) < 0) wrong('a count is below zero');
      const planned = totals.get(sku) ?? 0;
      if (planned !== total) wrong(`Redis has a total of ${total}, the drop one of ${planned}`);
      const owned = soldUnits.get(document) ?? 0;
      if (owned !== sold) wrong(`Redis counts ${sold} as sold, paid orders own ${owned}`);
    }
  }
  return { dropsCount };
}
