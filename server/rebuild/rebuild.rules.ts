// What a drop's stock is, from what MongoDB knows and what is left in Redis. Pure: the same input, the same stock.
import { endedUnpaid, wasPaid, type OrderStatus } from '../orders/order.rules.ts';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** An order on its way, as far as its hold follows from it. */
export interface OrderedHold {
  readonly holdId: string;
  readonly status: OrderStatus;
  readonly lines: readonly Line[];
  readonly createdAtMs: number;
  /** Its hold was extended into the payment window. */
  readonly extended: boolean;
  /** Units in the ledger are its own. */
  readonly claimed: boolean;
}

export interface SurvivingHold {
  readonly holdId: string;
  readonly lines: readonly Line[];
  readonly expiresAtMs: number;
}

export interface ItemStock {
  readonly sku: string;
  readonly total: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly withdrawn: number;
}

export type HoldFate = 'held' | 'paying' | 'settled' | 'released';

/** What becomes of the hold of an order that has ended, whatever else there is; null for an order on its way. */
export function fateOfEnded(status: OrderStatus): 'settled' | 'released' | null {
  if (wasPaid(status)) return 'settled';
  return endedUnpaid(status) ? 'released' : null;
}

/**
 * Sold is what paid orders own; then come the orders on their way, those with units first, then the older; then unpaid
 * holds. A hold that no longer fits is released: Redis gave its units twice,
 * and the ledger has the last word on its order.
 */
export function planStock(input: {
  items: readonly { sku: string; total: number; withdrawn: number }[];
  /** By SKU, the units of paid orders that did not come back. */
  sold: ReadonlyMap<string, number>;
  onTheirWay: readonly OrderedHold[];
  survivors: readonly SurvivingHold[];
}): { stock: ItemStock[]; fates: Map<string, HoldFate> } {
  const { items, sold: soldCounts, onTheirWay, survivors } = input;
  const counts = new Map(
    items.map(({ sku, total }) => [sku, { total, held: 0, sold: soldCounts.get(sku) ?? 0 }]),
  );
  const fates = new Map<string, HoldFate>();
  const fits = (lines: readonly Line[]) =>
    lines.every(({ sku, quantity }) => {
      const count = counts.get(sku);
      return count !== undefined && count.sold + count.held + quantity <= count.total;
    });
  const hold = (holdId: string, lines: readonly Line[], fate: 'held' | 'paying') => {
    if (!fits(lines)) {
      fates.set(holdId, 'released');
      return;
    }
    fates.set(holdId, fate);
    for (const { sku, quantity } of lines) {
      const count = counts.get(sku);
      if (count) count.held += quantity;
    }
  };

  const order = onTheirWay.toSorted((a, b) => urgency(b) - urgency(a) || a.createdAtMs - b.createdAtMs);
  for (const { holdId, lines, extended } of order) hold(holdId, lines, extended ? 'paying' : 'held');
  for (const { holdId, lines } of survivors.toSorted((a, b) => a.expiresAtMs - b.expiresAtMs))
    hold(holdId, lines, 'held');

  const stock = items.map(({ sku, total, withdrawn: wanted }) => {
    const { held = 0, sold = 0 } = counts.get(sku) ?? {};
    // Only what is on the shelf can be withdrawn, as ever.
    const withdrawn = Math.max(0, Math.min(wanted, total - sold - held));
    return { sku, total, held, sold, withdrawn, available: total - sold - held - withdrawn };
  });
  return { stock, fates };
}

/** Who owns units has them for certain; who has paid comes before who has not. */
function urgency({ claimed, status }: OrderedHold): number {
  if (claimed) return 2;
  return status === 'authorized' ? 1 : 0;
}
