// What a coupon takes off a cart's lines. Pure, over whole minor units. What always holds: no line is discounted by more
// than it costs, the lines' discounts add up to the discount, and the order of the lines changes nothing: where two lines
// have an equal claim, the SKU decides and not the place.
import { divideHalfUp } from './currencies.rules.ts';

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
  const amounts = lines.map(line => line.unitAmount * line.quantity);
  const sum = amounts.reduce((total, amount) => total + amount, 0);
  switch (discount.kind) {
    case 'percent': {
      const numerator = sum * discount.basisPoints;
      const off = divideHalfUp({ numerator, denominator: wholePercent, step });
      return shareOut(Math.min(off, sum), lines, amounts);
    }
    case 'fixed':
      return shareOut(Math.min(discount.amount, sum), lines, amounts);
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

/**
 * Shares an amount out in proportion to what each line costs, by largest remainder: each line gets its share rounded
 * down, and what is left goes, a minor unit each, to the lines that lost the most. The products pass 2^53, so they are
 * made of big integers.
 */
function shareOut(amount: number, lines: readonly DiscountableLine[], weights: readonly number[]): number[] {
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum === 0) return lines.map(() => 0);
  const exact = weights.map(weight => BigInt(amount) * BigInt(weight));
  const shares = exact.map(product => Number(product / BigInt(sum)));
  let left = amount - shares.reduce((total, share) => total + share, 0);
  const byLoss = exact
    .map((product, index) => ({ index, lost: product % BigInt(sum), sku: lines[index]?.sku ?? '' }))
    .filter(({ lost }) => lost > 0n)
    .toSorted((a, b) => (a.lost === b.lost ? (a.sku < b.sku ? -1 : 1) : a.lost > b.lost ? -1 : 1));
  for (const { index } of byLoss) {
    if (left === 0) break;
    shares[index] = (shares[index] ?? 0) + 1;
    left -= 1;
  }
  return shares;
}
