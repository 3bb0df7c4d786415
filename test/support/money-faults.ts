// Ways to plant a fault in the rules of prices.
import { type Cart, priceCart } from '../../server/pricing/cart.rules.ts';
import { type TaxPart, taxOf, taxRuleOf } from '../../server/pricing/tax.rules.ts';
import { type MoneyRules, type Priced, pricedBy, rules, sumOf } from './money-properties.ts';

/** Our price of a cart, with something wrong in it. */
export function wrongly(change: (price: Priced, given: Cart) => Partial<Priced>): MoneyRules {
  return {
    ...rules,
    priceCart(given) {
      const price = priceCart(given);
      return price.kind === 'priced' ? { ...price, ...change(price, given) } : price;
    },
  };
}

/** With other taxes, which add up all the same. */
export function wronglyTaxed(
  change: (price: Priced, given: Cart, parts: readonly TaxPart[]) => TaxPart[],
): MoneyRules {
  return wrongly((price, given) => {
    const taxes = change(price, given, price.taxes);
    return { taxes, taxAmount: sumOf(taxes.map(part => part.taxAmount)) };
  });
}

/** What the goods of one rate cost after the discount. */
export function goodsAt(given: Cart, part: TaxPart): number {
  const price = pricedBy(rules, given);
  return sumOf(
    given.lines.map((line, index) => {
      const { rateMillipercent } = taxRuleOf(given.destination, line.taxClass);
      const left = (price.lineAmounts[index] ?? 0) - (price.lineDiscounts[index] ?? 0);
      return rateMillipercent === part.rateMillipercent ? left : 0;
    }),
  );
}

export function retaxed(given: Cart, parts: readonly TaxPart[]): TaxPart[] {
  const { included } = taxRuleOf(given.destination);
  return parts.map(part => {
    const rule = { rateMillipercent: part.rateMillipercent, included };
    return { ...part, taxAmount: taxOf({ amount: part.taxableAmount, currency: given.currency, rule }) };
  });
}
