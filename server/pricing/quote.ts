// The sealed quote: a priced cart, fixed until it expires, for one buyer, one drop and one destination. `pricing.quote`
// makes it, `hold.place` freezes it into the hold, `checkout.pay` bills it: no surprise at the till.
import { z } from 'zod';
import { buyerIdSchema, dropIdSchema, skuSchema } from '../ids.ts';
import { taxClasses } from './tax-rates.rules.ts';

/** All amounts in minor units of `currency`. `total` of a line = unitAmount × quantity, before discount and tax. */
export const quotedLineSchema = z.object({
  sku: skuSchema,
  title: z.string(),
  quantity: z.int().min(1),
  unitAmount: z.int().min(0),
  /** What a unit costs without tier and group; absent where that is the same. */
  listAmount: z.int().min(0).optional(),
  /** The quantity tier and the group that the unit's price comes from; absent where it does not. */
  tierFrom: z.int().min(2).optional(),
  group: z.string().optional(),
  /** Absent: standard. */
  taxClass: z.enum(taxClasses).optional(),
  totalAmount: z.int().min(0),
  /** What the coupon takes off this line; absent where it takes nothing. */
  discountAmount: z.int().min(1).optional(),
});
export type QuotedLine = z.infer<typeof quotedLineSchema>;

/** Tax by rate: what is taxed (with the tax in it, where prices contain it), and with how much. */
export const taxPartSchema = z.object({
  rateMillipercent: z.int().min(0),
  taxableAmount: z.int().min(0),
  taxAmount: z.int().min(0),
});

/** The rate that prices of this cart were converted by, when the shop set its drop up. */
export const frozenRateSchema = z.object({
  from: z.string().length(3),
  to: z.string().length(3),
  rate: z.string(),
  atMs: z.int(),
});

export const destinationSchema = z.object({
  country: z.string().length(2),
  state: z.string().optional(),
  postcode: z.string().optional(),
});
export type Destination = z.infer<typeof destinationSchema>;

/** total = subtotal − discount + shipping + tax where tax comes on top; where prices include it, tax is a part of them. */
export const quoteSchema = z.object({
  dropId: dropIdSchema,
  buyerId: buyerIdSchema,
  lines: z.array(quotedLineSchema).min(1),
  currency: z.string().length(3),
  subtotalAmount: z.int().min(0),
  discountAmount: z.int().min(0),
  shippingAmount: z.int().min(0),
  taxAmount: z.int().min(0),
  taxIncluded: z.boolean(),
  /** The highest rate first; absent in quotes of earlier versions. */
  taxes: z.array(taxPartSchema).optional(),
  rates: z.array(frozenRateSchema).optional(),
  totalAmount: z.int().min(0),
  /** The code as it is counted; absent where the cart has none. */
  coupon: z.string().optional(),
  shipping: z.string(),
  destination: destinationSchema,
  /** Where a price of the cart falls over time: the instant that its prices are of; absent where none does. */
  pricedAtMs: z.int().optional(),
  /** When the next price of the cart falls, or may have changed; absent where none does any more. */
  pricedUntilMs: z.int().optional(),
  expiresAtMs: z.int(),
});
export type Quote = z.infer<typeof quoteSchema>;
