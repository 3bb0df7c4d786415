// A whole price list at once: each amount times a factor, rounded as its currency is. Pure, over a compact array, so that
// a list of a hundred thousand prices is one block of memory that changes threads without being copied.
import { divideHalfUp } from './currencies.rules.ts';

export interface PriceChange {
  /** What a price becomes of itself, in hundredths of a percent: 9,000 is ten percent less. */
  readonly basisPoints: number;
  /** What the currency's amounts are rounded to. */
  readonly step: number;
}

const unchanged = 10_000;

/** In place. No price becomes zero that was not: a rounding does not give anything away. */
export function repriceAmounts(amounts: Float64Array, { basisPoints, step }: PriceChange): void {
  for (const [index, amount] of amounts.entries()) {
    const changed = divideHalfUp({ numerator: amount * basisPoints, denominator: unchanged, step });
    amounts[index] = amount > 0 && basisPoints > 0 ? Math.max(step, changed) : changed;
  }
}
