// A coupon, as its document keeps it. Its code is its id: a code is given out once and for good, since its uses are
// counted under it, and the next campaign of that name would begin with the uses of the last one.
import { z } from 'zod';
import { dropIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { amountSchema, currencySchema } from '../money.ts';

/** As it is written on a flyer: case and spaces at its ends do not matter. */
export const couponCodeSchema = z
  .string()
  .trim()
  .normalize('NFKC')
  .regex(/^[\p{L}\p{N}_.-]{1,40}$/u, 'a coupon code')
  .toLowerCase();

const time = z.int().min(0).max(8_640_000_000_000_000);
const money = z.strictObject({ amount: amountSchema.min(1), currency: currencySchema });
const countMax = z.int().min(1).max(limits.couponUsesCount);

export const discountSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('percent'),
    percent: z
      .number()
      .gt(0)
      .max(100)
      .refine(percent => Number.isInteger(Math.round(percent * 1e6) / 1e4), 'two decimals at most'),
  }),
  z.strictObject({ kind: z.literal('fixed'), amount: money }),
  z.strictObject({
    kind: z.literal('buy-x-get-y'),
    buy: z.int().min(1).max(limits.lineQuantityCount),
    get: z.int().min(1).max(limits.lineQuantityCount),
  }),
]);

export const couponTermsSchema = z.strictObject({
  code: couponCodeSchema,
  discount: discountSchema,
  startsAtMs: time.optional(),
  endsAtMs: time.optional(),
  /** Of the whole cart, before the coupon. */
  minSubtotal: money.optional(),
  /** What it comes off: these SKUs and the products of these categories; all there is where neither is given. */
  skus: z.array(skuSchema).min(1).max(limits.couponSkusCount).optional(),
  categories: z.array(z.string().trim().min(1).max(60)).min(1).max(20).optional(),
  /** The drops where it counts; in all of them where none is given. */
  dropIds: z.array(dropIdSchema).min(1).max(100).optional(),
  usesMax: countMax.optional(),
  perBuyerMax: countMax.optional(),
});
export type CouponTerms = z.infer<typeof couponTermsSchema>;

export const couponSchema = couponTermsSchema.extend({
  createdAtMs: z.number(),
  disabledAtMs: z.number().nullable(),
});
export type Coupon = z.infer<typeof couponSchema>;

/** One use: the hold that it was taken for, and its buyer. */
export interface CouponUse {
  readonly code: string;
  readonly buyerId: string;
}
