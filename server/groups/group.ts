// A group of buyers, as members or staff, and what it has: a percentage off everything, prices of its own for some SKUs,
// or both, of which the better counts.
import { z } from 'zod';
import { buyerIdSchema, skuSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { moneySchema } from '../money.ts';

export const groupNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9-]{0,29}$/,
    'a group: lower-case letters, digits and hyphens, beginning with a letter',
  );

export const groupTermsSchema = z
  .strictObject({
    group: groupNameSchema,
    title: z.string().trim().min(1).max(80).optional(),
    percent: z
      .number()
      .gt(0)
      .max(100)
      .refine(percent => Number.isInteger(Math.round(percent * 1e6) / 1e4), 'two decimals at most')
      .optional(),
    prices: z
      .array(z.strictObject({ sku: skuSchema, price: moneySchema }))
      .max(limits.groupPricesCount)
      .refine(
        prices => new Set(prices.map(({ sku, price }) => `${sku} ${price.currency}`)).size === prices.length,
        'a SKU stands there twice in one currency',
      )
      .default([]),
  })
  .refine(({ percent, prices }) => percent !== undefined || prices.length > 0, {
    message: 'a group needs a percentage or prices',
  });
export type GroupInput = z.output<typeof groupTermsSchema>;

export const groupSchema = z.object({
  group: groupNameSchema,
  title: z.string().optional(),
  percent: z.number().optional(),
  prices: z.array(z.object({ sku: skuSchema, price: z.object({ amount: z.int(), currency: z.string() }) })),
  createdAtMs: z.number(),
  updatedAtMs: z.number(),
});
export type Group = z.infer<typeof groupSchema>;

/** A buyer whom the shop has put into groups, until some time where it says one. */
export const membershipSchema = z.object({
  buyerId: buyerIdSchema,
  groups: z.array(groupNameSchema),
  untilMs: z.number().nullable(),
  setAtMs: z.number(),
});
export type Membership = z.infer<typeof membershipSchema>;
