// What a cart costs: a pure function over whole minor units, the same in any thread. Its steps, in this order:
//   unit price (unit-price.rules.ts) × quantity = line total → subtotal → coupon → shipping → tax on what is left → total.
// Discounts come before tax, because tax is owed on what is in fact paid (EU: Directive 2006/112/EC, article 79);
// shipping is taxed with the goods, as ancillary to them (the same, article 78). Each line is taxed by its class: the
// discount is shared out over the lines, so what is taxed at each rate is known to the minor unit (tax.rules.ts).
// Always: total = subtotal − discount + shipping, plus the tax where prices do not contain it; no part is negative.
import { limits } from '../limits.ts';
import { roundingStepOf } from './currencies.rules.ts';
import { type Discount, discountLines } from './discount.rules.ts';
import type { Destination } from './quote.ts';
import { type ShippingTable, shippingCostOf } from './shipping.rules.ts';
import { type TaxPart, taxByRate } from './tax.rules.ts';
import { type TaxClass, type TaxRates, taxRatesOf } from './tax-rates.rules.ts';

/** Plain data, so that it can be copied into a worker thread. Amounts in minor units of `currency`. */
export interface Cart {
  readonly lines: readonly {
    readonly sku: string;
    readonly quantity: number;
    readonly unitAmount: number;
    /** Whether the discount comes off it; it does unless this is false. */
    readonly eligible?: boolean;
    /** `standard` where it is not said. */
    readonly taxClass?: TaxClass | undefined;
  }[];
  readonly discount?: Discount | undefined;
  readonly currency: string;
  readonly destination: Destination;
  readonly shippingMethod?: string | undefined;
  /** Without it, the default table applies. */
  readonly shippingTable?: ShippingTable | undefined;
  /** Without them, the table's for the destination. */
  readonly taxRates?: TaxRates | undefined;
}

export type CartPrice =
  | {
      readonly kind: 'priced';
      /** In the order of the cart's lines. */
      readonly lineAmounts: readonly number[];
      /** By line, too: together they are the discount. */
      readonly lineDiscounts: readonly number[];
      readonly subtotalAmount: number;
      readonly discountAmount: number;
      readonly shippingAmount: number;
      readonly shippingMethod: string;
      readonly taxAmount: number;
      /** By rate, the highest first: together they are the tax, and what is taxed is all that is asked. */
      readonly taxes: readonly TaxPart[];
      readonly taxIncluded: boolean;
      readonly totalAmount: number;
    }
  | { readonly kind: 'not-shippable'; readonly because: 'country' | 'method' }
  /** More than a card can be charged in one payment. */
  | { readonly kind: 'too-much' };

export function priceCart(cart: Cart): CartPrice {
  const { currency, destination } = cart;
  const shipping = shippingCostOf({ destination, method: cart.shippingMethod, table: cart.shippingTable });
  if (shipping.kind === 'not-shippable') return shipping;

  const lineAmounts = cart.lines.map(line => line.unitAmount * line.quantity);
  const subtotalAmount = lineAmounts.reduce((sum, amount) => sum + amount, 0);
  const lineDiscounts = discountsOf(cart);
  const discountAmount = lineDiscounts.reduce((sum, amount) => sum + amount, 0);
  const taxable = subtotalAmount - discountAmount + shipping.amount;
  if (taxable > limits.amountMinorMax) return { kind: 'too-much' };

  const rates = cart.taxRates ?? taxRatesOf(destination);
  const lines = cart.lines.map(({ taxClass }, index) => ({
    amount: (lineAmounts[index] ?? 0) - (lineDiscounts[index] ?? 0),
    taxClass,
  }));
  const taxes = taxByRate({ lines, shippingAmount: shipping.amount, currency, rates });
  const taxAmount = taxes.reduce((sum, part) => sum + part.taxAmount, 0);
  const totalAmount = rates.included ? taxable : taxable + taxAmount;
  if (totalAmount > limits.amountMinorMax) return { kind: 'too-much' };
  return {
    kind: 'priced',
    lineAmounts,
    lineDiscounts,
    subtotalAmount,
    discountAmount,
    shippingAmount: shipping.amount,
    shippingMethod: shipping.method,
    taxAmount,
    taxes,
    taxIncluded: rates.included,
    totalAmount,
  };
}

/** By line of the cart; those that are not eligible neither get any of it nor count towards it. */
function discountsOf({ lines, currency, discount }: Cart): number[] {
  if (!discount) return lines.map(() => 0);
  const eligible = lines.filter(line => line.eligible !== false);
  const off = discountLines({ discount, lines: eligible, step: roundingStepOf(currency) });
  let at = 0;
  return lines.map(line => (line.eligible === false ? 0 : (off[at++] ?? 0)));
}
