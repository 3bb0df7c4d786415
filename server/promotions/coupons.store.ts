// Coupons in MongoDB: what the shop promised. Their uses are counted elsewhere; only a disabling ever changes one.
import type { z } from 'zod';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';
import { couponSchema, type Coupon } from './coupon.ts';

const documentSchema = couponSchema.omit({ code: true }).extend({ _id: couponSchema.shape.code });
type CouponDocument = z.infer<typeof documentSchema>;

export type CouponsStore = ReturnType<typeof createCouponsStore>;

export function createCouponsStore(connection: MongoConnection) {
  const coupons = collectionOf<CouponDocument>(connection, 'coupons');
  const read = (document: unknown): Coupon => {
    const { _id, ...fields } = documentSchema.parse(document);
    return { code: _id, ...fields };
  };
  return {
    /** False where the code was given out before. */
    async insert({ code, ...fields }: Coupon): Promise<boolean> {
      try {
        await coupons.insertOne({ _id: code, ...fields });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async find(code: string): Promise<Coupon | null> {
      const found = await coupons.findOne({ _id: code });
      return found ? read(found) : null;
    },
    /** Null where there is none; disabled twice, it keeps its first time. */
    async disable(code: string, atMs: number): Promise<Coupon | null> {
      await coupons.updateOne({ _id: code, disabledAtMs: null }, { $set: { disabledAtMs: atMs } });
      return this.find(code);
    },
    /** By code, from after `after`. */
    async list(page: { after: string | undefined; limit: number }): Promise<Coupon[]> {
      const filter = page.after === undefined ? {} : { _id: { $gt: page.after } };
      const found = await coupons.find(filter).sort({ _id: 1 }).limit(page.limit).toArray();
      return found.map(read);
    },
  };
}
