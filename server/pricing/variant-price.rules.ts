// What a variant of the catalog costs in a currency. Pure.
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import { convertAmount, type ExchangeRate } from './conversion.rules.ts';
import type { PriceTier } from './unit-price.rules.ts';

export interface PricedVariant {
  readonly amount: number;
  readonly tiers: readonly PriceTier[];
  /** The rate that it was made by; absent where the shop has said the price. */
  readonly rate?: ExchangeRate;
}

/**
 * What a variant costs in a currency: what the shop has said, else its base price and the tiers of that, converted. Null
 * where there is no rate, or where the price would be more than a payment can carry.
 */
export function variantPriceIn(
  variant: {
    readonly price: Money;
    readonly prices?: readonly Money[];
    readonly tiers?: readonly { readonly from: number; readonly price: Money }[];
  },
  currency: string,
  rates: ReadonlyMap<string, ExchangeRate>,
): PricedVariant | null {
  const { price, prices = [], tiers = [] } = variant;
  const tiersOf = (code: string) =>
    tiers
      .filter(tier => tier.price.currency === code)
      .map(tier => ({ from: tier.from, amount: tier.price.amount }))
      .toSorted((a, b) => a.from - b.from);
  const own = [price, ...prices].find(each => each.currency === currency);
  if (own) return { amount: own.amount, tiers: tiersOf(currency) };
  const rate = rates.get(price.currency);
  if (!rate) return null;
  const converted = (amount: number) => {
    const made = convertAmount(amount, rate);
    return made !== null && made <= limits.amountMinorMax ? made : null;
  };
  const amount = converted(price.amount);
  if (amount === null) return null;
  // A tier is cheaper than the price, so it can be converted where the price can.
  const steps = tiersOf(price.currency).map(tier => ({
    from: tier.from,
    amount: converted(tier.amount) ?? amount,
  }));
  return { amount, tiers: steps, rate };
}
