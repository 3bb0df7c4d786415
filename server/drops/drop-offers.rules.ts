// What a drop asked for a SKU, and when: a part of the history of its price. Pure: it follows from the drop's document.
//
// Where the document cannot tell whether a price was still asked (a drop that is sold out before its price fell), it counts
// as asked: so nothing is ever compared with more than it should be.
import { reductionOf, type AppliedPrice, type PriceEntry } from '../catalog/price-history.rules.ts';
import type { Drop } from './drop.ts';

type OfferedDrop = Pick<Drop, 'items' | 'opensAtMs' | 'openedAtMs' | 'closesAtMs' | 'endedAtMs'>;

/** Infinity where nobody has said an end. */
export function endOf({ closesAtMs, endedAtMs }: Pick<Drop, 'closesAtMs' | 'endedAtMs'>): number {
  return Math.min(closesAtMs ?? Number.POSITIVE_INFINITY, endedAtMs ?? Number.POSITIVE_INFINITY);
}

/** The price of its opening and each that it fell to, one after the other; none where it never sold the SKU in the currency. */
export function offerOf(drop: OfferedDrop, asked: { sku: string; currency: string }): AppliedPrice[] {
  const item = drop.items.find(({ sku, price }) => sku === asked.sku && price.currency === asked.currency);
  if (!item) return [];
  const endMs = endOf(drop);
  const fromMs = Math.min(drop.opensAtMs, drop.openedAtMs ?? drop.opensAtMs);
  const prices = [{ atMs: fromMs, amount: item.price.amount }, ...(item.steps ?? [])];
  return prices
    .map(({ atMs, amount }, index) => ({
      fromMs: atMs,
      untilMs: Math.min(prices[index + 1]?.atMs ?? Number.POSITIVE_INFINITY, endMs),
      amount,
    }))
    .filter(price => price.fromMs < price.untilMs);
}

/**
 * The lowest price of the 30 days before, where what the drop asks now is a reduction; before it opens, where what it will
 * ask is one. `listed` is the catalog's history, `others` what other drops asked. Null where nothing is reduced.
 */
export function lowestBefore(seen: {
  own: readonly AppliedPrice[];
  listed: readonly PriceEntry[];
  others: readonly AppliedPrice[];
  nowMs: number;
}): number | null {
  const { own, listed, others, nowMs } = seen;
  const [first] = own;
  if (!first) return null;
  const entries = [
    ...listed.filter(({ atMs }) => atMs < first.fromMs),
    ...own.map(({ fromMs, amount }) => ({ atMs: fromMs, amount })),
  ];
  return reductionOf(entries, Math.max(nowMs, first.fromMs), others)?.lowestAmount ?? null;
}
