// What a coupon takes off a cart's lines. Pure, over whole minor units. What always holds: no line is discounted by more
// than it costs, the lines' discounts add up to the discount, and the order of the lines changes nothing: where two lines
// have an equal claim, the SKU decides and not the place.
import { divideHalfUp } from './currencies.rules.ts';
import { shareOut } from './share-out.rules.ts';

export type Discount =
  /** Hundredths of a percent: 12.5 % is 1,250. */
  | { readonly kind: 'percent'; readonly basisPoints: number }
  /** In minor units of the cart's currency, once for the cart. */
  | { readonly kind: 'fixed'; readonly amount: number }
  /** In every `buy + get` units the `get` cheapest are free. */
  | { readonly kind: 'buy-x-get-y'; readonly buy: number; readonly get: number };

export interface DiscountableLine {
  readonly sku: string;
  readonly quantity: number;
  readonly unitAmount: number;
}

const wholePercent = 10_000;

/**
 * By line, in the order given. `step` is what the currency's amounts are rounded to: a percentage is rounded once, on the
 * sum of the lines, half up, and then shared out, so that three lines at 33.3 % do not lose three halves of a cent.
 */
export function discountLines(request: {
  discount: Discount;
  lines: readonly DiscountableLine[];
  step: number;
}): number[] {
  const { discount, lines, step } = request;
  const parts = lines.map(({ sku, unitAmount, quantity }) => ({ name: sku, weight: unitAmount * quantity }));
  const sum = parts.reduce((total, { weight }) => total + weight, 0);
  switch (discount.kind) {
    case 'percent': {
      const numerator = sum * discount.basisPoints;
      const off = divideHalfUp({ numerator, denominator: wholePercent, step });
      return shareOut(Math.min(off, sum), parts);
    }
    case 'fixed':
      return shareOut(Math.min(discount.amount, sum), parts);
    case 'buy-x-get-y':
      return freeUnits(discount, lines).map((count, index) => count * (lines[index]?.unitAmount ?? 0));
  }
}

/**
 * Units of all lines make groups together, whichever SKU they are of; the cheapest of the whole cart are free, so that
 * nobody is given the dearest for having put it there last.
 */
function freeUnits({ buy, get }: { buy: number; get: number }, lines: readonly DiscountableLine[]): number[] {
  const unitsCount = lines.reduce((sum, line) => sum + line.quantity, 0);
  let left = Math.floor(unitsCount / (buy + get)) * get;
  const free = lines.map(() => 0);
  const cheapestFirst = lines
    .map((line, index) => ({ ...line, index }))
    .toSorted((a, b) => a.unitAmount - b.unitAmount || (a.sku < b.sku ? -1 : 1));
  for (const { index, quantity } of cheapestFirst) {
    free[index] = Math.min(left, quantity);
    left -= free[index];
  }
  return free;
}
