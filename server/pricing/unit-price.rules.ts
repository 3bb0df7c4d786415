// What one unit of a cart's line costs. Pure. Reductions are looked at in one order, and none ever makes a price dearer:
//
//   what the drop asks (its own price, or the catalog's, or what it has fallen to by now)
//   → quantity tier: from so many pieces of the SKU, the tier's price where it is lower
//   → group: the lowest that the buyer's groups have, each either a price of its own or a percentage off what is left
//
// and only then, over all lines, the coupon, shipping and tax (cart.rules.ts). The tier comes before the group because it
// is the shop's offer to everybody; a percentage for a group then comes off what everybody would pay, as it says. The
// group comes before the coupon because it decides what the buyer is shown before any code is typed.
import { divideHalfUp } from './currencies.rules.ts';

/** From so many pieces on, each costs so much. In minor units. */
export interface PriceTier {
  readonly from: number;
  readonly amount: number;
}

/** What a group of buyers has for one SKU; where it has both, the better counts. */
export interface GroupTerms {
  readonly group: string;
  /** Off, in hundredths of a percent. */
  readonly basisPoints?: number | undefined;
  readonly amount?: number | undefined;
}

export interface UnitPrice {
  readonly amount: number;
  /** The tier that the price comes from; absent where it does not. */
  readonly tierFrom?: number;
  /** The group whose price it is. */
  readonly group?: string;
}

const wholePercent = 10_000;

export function unitPriceOf(line: {
  amount: number;
  quantity: number;
  tiers?: readonly PriceTier[] | undefined;
  groups?: readonly GroupTerms[] | undefined;
  /** What the currency's amounts are rounded to. */
  step: number;
}): UnitPrice {
  const { amount, quantity, tiers = [], groups = [], step } = line;
  let price: UnitPrice = { amount };
  for (const tier of tiers)
    if (tier.from <= quantity && tier.amount < price.amount)
      price = { amount: tier.amount, tierFrom: tier.from };

  const tiered = price;
  // The name decides between two that are as good as each other, so that the same buyer is always told of the same group.
  for (const terms of groups.toSorted((a, b) => (a.group < b.group ? -1 : 1))) {
    const { group } = terms;
    const reduced = percentOff(tiered.amount, terms.basisPoints ?? 0, step);
    if (reduced < price.amount) price = { ...tiered, amount: reduced, group };
    // A price of the group's own owes nothing to the tier.
    if (terms.amount !== undefined && terms.amount < price.amount) price = { amount: terms.amount, group };
  }
  return price;
}

/** Rounded half up; nothing but a hundred percent makes a price zero: a rounding does not give anything away. */
function percentOff(amount: number, basisPoints: number, step: number): number {
  const left = divideHalfUp({
    numerator: amount * (wholePercent - basisPoints),
    denominator: wholePercent,
    step,
  });
  return Math.min(amount, basisPoints < wholePercent ? Math.max(left, step) : left);
}

/** What is wrong with a list of tiers for one currency; null where it is sound. */
export function tiersProblem(tiers: readonly PriceTier[], base: number): string | null {
  let [from, amount] = [1, base];
  for (const tier of tiers) {
    if (tier.from <= from) return 'tiers must begin at more pieces, one after the other, and at 2 at least';
    if (tier.amount >= amount) return 'each tier must be cheaper than the one before, and than the price';
    ({ from, amount } = tier);
  }
  return null;
}
