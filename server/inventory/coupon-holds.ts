// Holds whose carts have a coupon: its use is taken before the units are, and ends as the hold does. Wraps the store of
// holds, so that whoever places, pays, settles or releases one need not know of coupons.
//
// Two scripts instead of one, because two slots: a coupon counts across drops. Between them a process may die; then a use
// is left without a hold, which whoever is refused because of it finds and takes. The other way about, units would be
// held at a price that nobody may have. A use is confirmed once more when its order stands in MongoDB and before it is
// paid: so a use that Redis lost in between is either brought back or refused, and never paid for uncounted.
import type { DropId, HoldId } from '../ids.ts';
import type { HoldsStore, PayOutcome, PlaceOutcome, PlaceRequest } from './holds.store.ts';
import type { CouponRefusal, UsedCoupon } from '../promotions/coupon.rules.ts';
import type { Coupons } from '../promotions/coupons.ts';

export type CouponPlaceOutcome = PlaceOutcome | { kind: 'bad-coupon'; reason: CouponRefusal };

export interface CouponHolds extends Omit<HoldsStore, 'place' | 'pay' | 'settle' | 'release'> {
  place(request: PlaceRequest & { coupon?: string | undefined }): Promise<CouponPlaceOutcome>;
  pay(dropId: DropId, holdId: HoldId, coupon?: UsedCoupon): Promise<PayOutcome>;
  settle(
    dropId: DropId,
    holdId: HoldId,
    coupon?: UsedCoupon,
  ): Promise<{ kind: 'settled' | 'released' | 'missing' }>;
  release(
    dropId: DropId,
    holdId: HoldId,
    by: 'buyer' | 'order',
    coupon?: UsedCoupon,
  ): Promise<{ kind: 'released' | 'paying' | 'settled' | 'missing' }>;
}

export function withCoupons(store: HoldsStore, coupons: Pick<Coupons, 'take' | 'end'>): CouponHolds {
  const end = async (holdId: HoldId, coupon: UsedCoupon | undefined, fate: 'paid' | 'unpaid') => {
    if (coupon) await coupons.end({ code: coupon.code, holdId, fate });
  };
  return {
    ...store,
    async place({ coupon: code, ...request }) {
      if (code === undefined) return store.place(request);
      const { holdId, buyerId } = request;
      const taken = await coupons.take({ code, holdId, buyerId });
      if (taken.kind === 'bad-coupon') {
        // Asked again, a hold that is there answers as it is, whatever became of its coupon meanwhile.
        return (await store.find(holdId)) ? store.place(request) : taken;
      }
      const outcome = await store.place(request);
      const isHeld = outcome.kind === 'held' || outcome.kind === 'paying' || outcome.kind === 'settled';
      if (taken.isNew && !isHeld) await coupons.end({ code, holdId, fate: 'unpaid' });
      return outcome;
    },
    async pay(dropId, holdId, coupon) {
      const taken = coupon && (await coupons.take({ ...coupon, holdId, isPromised: true }));
      // To the order it is as if the hold had run out: its price cannot be had any more.
      if (taken?.kind === 'bad-coupon') return { kind: 'released' };
      return store.pay(dropId, holdId);
    },
    async settle(dropId, holdId, coupon) {
      const outcome = await store.settle(dropId, holdId);
      await end(holdId, coupon, 'paid');
      return outcome;
    },
    async release(dropId, holdId, by, coupon) {
      const outcome = await store.release(dropId, holdId, by);
      if (outcome.kind === 'released' || outcome.kind === 'missing') await end(holdId, coupon, 'unpaid');
      return outcome;
    },
  };
}
