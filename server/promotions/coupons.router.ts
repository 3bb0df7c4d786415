// Mounted as `admin.coupon`.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { router, staffProcedure } from '../trpc.ts';
import { couponCodeSchema, couponSchema, couponTermsSchema } from './coupon.ts';
import type { Coupons } from './coupons.ts';

const listInput = z.strictObject({
  cursor: couponCodeSchema.optional(),
  limit: z.int().min(1).max(limits.listPageCount.max).optional(),
});

export function createAdminCouponsRouter(coupons: Coupons) {
  return router({
    create: staffProcedure('admin')
      .input(couponTermsSchema)
      .output(z.object({ code: z.string() }))
      .mutation(async ({ input }) => ({ code: (await coupons.create(input)).code })),

    list: staffProcedure('viewer')
      .input(listInput.optional())
      .output(
        z.object({
          items: z.array(couponSchema.extend({ usedCount: z.int() })),
          nextCursor: z.string().optional(),
        }),
      )
      .query(async ({ input }) => {
        const limit = input?.limit ?? limits.listPageCount.default;
        // One more than asked for tells whether there is a next page.
        const found = await coupons.list({ after: input?.cursor, limit: limit + 1 });
        const items = found.slice(0, limit);
        const last = items.at(-1);
        return found.length > limit && last ? { items, nextCursor: last.code } : { items };
      }),

    disable: staffProcedure('operator')
      .input(z.strictObject({ code: couponCodeSchema }))
      .output(z.object({ code: z.string(), disabledAtMs: z.number() }))
      .mutation(async ({ input }) => {
        const { code, disabledAtMs } = await coupons.disable(input.code);
        return { code, disabledAtMs: disabledAtMs ?? 0 };
      }),
  });
}
