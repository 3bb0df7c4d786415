// Tax on a cart: by rate, exact to the minor unit, and rounded once for each rate.
//
// Rounding: once, half up, on all that is taxed at one rate, not line by line: then the error is at most half a minor unit
// for each rate however many lines there are, and the order of lines cannot matter. EU law leaves the method to the member
// states (CJEU C-484/06, Ahold), and none in the table forbids rounding by order. By rate and not by class, because an
// invoice says for each rate what is taxed at it (Directive 2006/112/EC, article 226(8)): two classes at 7 % are one sum.
//
// Shipping is ancillary to the goods and follows them (the same, article 78): in a cart of several rates it is shared
// among them in proportion to what their goods cost after the discount, by largest remainder; where all goods are free,
// it is taxed at the highest of their rates.
import { divideHalfUp, roundingStepOf } from './currencies.rules.ts';
import type { Destination } from './quote.ts';
import { shareOut } from './share-out.rules.ts';
import { type TaxClass, type TaxRates, taxRatesOf } from './tax-rates.rules.ts';

export interface TaxRule {
  /** In thousandths of a percent. */
  readonly rateMillipercent: number;
  /** True where the price shown contains the tax. */
  readonly included: boolean;
}

/** What is taxed at one rate, and with how much. In minor units; the taxable amount contains the tax where prices do. */
export interface TaxPart {
  readonly rateMillipercent: number;
  readonly taxableAmount: number;
  readonly taxAmount: number;
}

const whole = 100_000;

export function rateOf(rates: TaxRates, taxClass: TaxClass = 'standard'): number {
  return rates.byClass[taxClass] ?? rates.standard;
}

export function taxRuleOf(
  destination: Pick<Destination, 'country' | 'state'>,
  taxClass: TaxClass = 'standard',
): TaxRule {
  const rates = taxRatesOf(destination);
  return { rateMillipercent: rateOf(rates, taxClass), included: rates.included };
}

/** Tax on an amount in minor units: the part of it that is tax where it is included, else what comes on top. */
export function taxOf(taxable: { amount: number; currency: string; rule: TaxRule }): number {
  const { amount, currency, rule } = taxable;
  const numerator = amount * rule.rateMillipercent;
  if (rule.included) return divideHalfUp({ numerator, denominator: whole + rule.rateMillipercent });
  return divideHalfUp({ numerator, denominator: whole, step: roundingStepOf(currency) });
}

/** By rate, the highest first; together they are all of the goods and the shipping. Amounts are after the discount. */
export function taxByRate(taxed: {
  lines: readonly { readonly amount: number; readonly taxClass?: TaxClass | undefined }[];
  shippingAmount: number;
  currency: string;
  rates: TaxRates;
}): TaxPart[] {
  const { lines, shippingAmount, currency, rates } = taxed;
  const goods = new Map<number, number>();
  for (const { amount, taxClass } of lines) {
    const rate = rateOf(rates, taxClass);
    goods.set(rate, (goods.get(rate) ?? 0) + amount);
  }
  const byRate = [...goods].toSorted(([one], [other]) => other - one);
  const areFree = byRate.every(([, amount]) => amount === 0);
  const shipping = areFree
    ? byRate.map((_, index) => (index === 0 ? shippingAmount : 0))
    : shareOut(
        shippingAmount,
        byRate.map(([rate, weight]) => ({ name: String(rate), weight })),
      );
  return byRate.map(([rateMillipercent, amount], index) => {
    const taxableAmount = amount + (shipping[index] ?? 0);
    const rule = { rateMillipercent, included: rates.included };
    return { rateMillipercent, taxableAmount, taxAmount: taxOf({ amount: taxableAmount, currency, rule }) };
  });
}
