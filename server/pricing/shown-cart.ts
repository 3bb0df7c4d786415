// A priced cart as the API shows it: of a quote, of an estimate, and of the order that came of a quote.
import { z } from 'zod';
import { moneyOutputSchema } from '../money.ts';
import type { Estimate } from './pricing.ts';
import { taxClasses } from './tax-rates.rules.ts';

export const linesOutput = z.array(
  z.object({
    sku: z.string(),
    title: z.string(),
    quantity: z.int(),
    unitPrice: moneyOutputSchema,
    /** What a unit costs without the reductions that follow; absent where there are none. */
    listPrice: moneyOutputSchema.optional(),
    /** The unit's price is that from so many pieces on. */
    tierFrom: z.int().optional(),
    /** The unit's price is that of this group of buyers. */
    group: z.string().optional(),
    taxClass: z.enum(taxClasses),
    total: moneyOutputSchema,
    /** What the coupon takes off this line. */
    discount: moneyOutputSchema.optional(),
  }),
);

/** By rate: what is taxed, with the tax in it where prices contain it, and with how much. */
export const taxesOutput = z.array(
  z.object({ ratePercent: z.number(), taxable: moneyOutputSchema, tax: moneyOutputSchema }),
);

/** The shop's rates that prices were converted by. */
const ratesOutput = z.array(
  z.object({ from: z.string(), to: z.string(), rate: z.string(), atMs: z.number() }),
);

export const pricedOutput = {
  lines: linesOutput,
  subtotal: moneyOutputSchema,
  discount: moneyOutputSchema,
  shipping: moneyOutputSchema,
  tax: moneyOutputSchema,
  taxes: taxesOutput,
  /** True where the prices contain the tax, so that it is a part of the total and does not come on top. */
  taxIncluded: z.boolean(),
  rates: ratesOutput.optional(),
  total: moneyOutputSchema,
};

export function shownCart(priced: Estimate) {
  const money = (amount: number) => ({ amount, currency: priced.currency });
  return {
    lines: shownLines(priced),
    subtotal: money(priced.subtotalAmount),
    discount: money(priced.discountAmount),
    shipping: money(priced.shippingAmount),
    tax: money(priced.taxAmount),
    taxes: shownTaxes(priced),
    taxIncluded: priced.taxIncluded,
    ...(priced.rates ? { rates: priced.rates } : {}),
    total: money(priced.totalAmount),
  };
}

export function shownLines({ lines, currency }: Pick<Estimate, 'lines' | 'currency'>) {
  const money = (amount: number) => ({ amount, currency });
  return lines.map(line => ({
    sku: line.sku,
    title: line.title,
    quantity: line.quantity,
    unitPrice: money(line.unitAmount),
    ...(line.listAmount === undefined ? {} : { listPrice: money(line.listAmount) }),
    ...(line.tierFrom === undefined ? {} : { tierFrom: line.tierFrom }),
    ...(line.group === undefined ? {} : { group: line.group }),
    taxClass: line.taxClass ?? 'standard',
    total: money(line.totalAmount),
    ...(line.discountAmount ? { discount: money(line.discountAmount) } : {}),
  }));
}

export function shownTaxes({ taxes = [], currency }: Pick<Estimate, 'taxes' | 'currency'>) {
  const money = (amount: number) => ({ amount, currency });
  return taxes.map(({ rateMillipercent, taxableAmount, taxAmount }) => ({
    ratePercent: rateMillipercent / 1_000,
    taxable: money(taxableAmount),
    tax: money(taxAmount),
  }));
}
