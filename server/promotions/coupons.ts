// The face of coupons: whether one is good for a cart, its uses taken and ended, and what the shop does with them.
//
// A use is taken for a hold, before the hold is placed, and confirmed when its order is about to be paid. It is given back
// when the hold is refused, released by its buyer, or ends with an unpaid order; a hold that simply runs out leaves its
// use behind until somebody is refused because of it: they look, and take it. So the limits can never be passed, and
// what is left over costs nobody anything.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { PublicError } from '../errors.ts';
import type { BuyerId, HoldId } from '../ids.ts';
import { limits } from '../limits.ts';
import { isCounted, judgeCoupon, termsProblem, type CouponCart } from './coupon.rules.ts';
import { couponCodeSchema, type Coupon, type CouponTerms } from './coupon.ts';
import type { CouponsStore } from './coupons.store.ts';
import type { CouponUsesStore, OrderedUse, UseFate } from './coupon-uses.store.ts';

export type { UseFate } from './coupon-uses.store.ts';

export type TakeOutcome =
  | { kind: 'taken'; isNew: boolean }
  | { kind: 'bad-coupon'; reason: 'unknown' | 'disabled' | 'used-up' | 'buyer-limit' };

export type JudgeOutcome = ReturnType<typeof judgeCoupon>;

export interface Coupons {
  /** For a quote. Counts nothing: `take` has the last word. */
  judge(code: string, buyerId: BuyerId, cart: CouponCart): Promise<JudgeOutcome>;
  /** The categories that the coupon names, so that nobody looks them up for one that names none. */
  namesCategories(code: string): Promise<boolean>;
  /**
   * Takes a use for a hold, once. A quote is a promise, so what it was made under is not judged again; a coupon that was
   * disabled since takes no new holds, and `isPromised` holds to it even then.
   */
  take(use: { code: string; holdId: HoldId; buyerId: BuyerId; isPromised?: boolean }): Promise<TakeOutcome>;
  end(use: { code: string; holdId: HoldId; fate: UseFate }): Promise<void>;
  /** Throws PublicError `conflict` where the code was given out before. */
  create(terms: CouponTerms): Promise<Coupon>;
  disable(code: string): Promise<Coupon>;
  list(page: { after: string | undefined; limit: number }): Promise<(Coupon & { usedCount: number })[]>;
}

/** Other takers and other restorers are met a few times at most. */
const looksMax = 5;

export function createCoupons(deps: {
  store: CouponsStore;
  uses: CouponUsesStore;
  /** What became of the hold that a use was taken for: its order's word, else the hold's own. */
  fateOf: (use: { code: string; holdId: HoldId }) => Promise<UseFate>;
  /** Every use that an order tells of, but those of orders that ended unpaid. */
  orderedUses: (code: string) => AsyncIterable<OrderedUse>;
  clock: { now(): number };
  log: Logger;
}): Coupons {
  const { store, uses, fateOf, orderedUses, clock, log } = deps;
  const remembered = new LRUCache<string, { coupon: Coupon | null }>({
    max: limits.couponCacheCount,
    ttl: limits.couponCacheTtlMs,
    // Forgotten while it is looked up, it answers those who asked before, and is not kept.
    ignoreFetchAbort: true,
    fetchMethod: async code => ({ coupon: await store.find(code) }),
  });
  const find = async (text: string): Promise<Coupon | null> => {
    const code = couponCodeSchema.safeParse(text);
    return code.success ? ((await remembered.fetch(code.data))?.coupon ?? null) : null;
  };

  /** Looks at uses that are in the way; true where one of them was given back. */
  const clearOverdue = async (code: string, overdue: readonly HoldId[]): Promise<boolean> => {
    const looked = await Promise.all(
      overdue.map(async holdId => ({ holdId, fate: await fateOf({ code, holdId }) })),
    );
    await uses.end(code, looked);
    return looked.some(({ fate }) => fate === 'unpaid');
  };

  const restore = async (code: string): Promise<void> => {
    const whole = await uses.restore(code, orderedUses(code));
    log.warn({ whole }, 'coupons: uses were brought back from the orders');
  };

  return {
    async judge(code, buyerId, cart) {
      const coupon = await find(code);
      if (!coupon) return { kind: 'bad', reason: 'unknown' };
      const judged = judgeCoupon(coupon, cart, clock.now());
      if (judged.kind === 'bad' || !isCounted(coupon)) return judged;
      const { usesMax, perBuyerMax } = coupon;
      // A hint for the buyer, before the crowd does its best: a use that nobody has given back yet is not counted out.
      const [used, ofBuyer] = await Promise.all([
        usesMax === undefined ? 0 : uses.count(coupon.code),
        perBuyerMax === undefined ? 0 : uses.ofBuyer(coupon.code, buyerId),
      ]);
      const isFull = usesMax !== undefined && used >= usesMax;
      const isFullForBuyer = perBuyerMax !== undefined && ofBuyer >= perBuyerMax;
      if (!isFull && !isFullForBuyer) return judged;
      const overdue = await uses.overdue(coupon.code);
      if (overdue.length > 0 && (await clearOverdue(coupon.code, overdue))) return judged;
      return { kind: 'bad', reason: isFull ? 'used-up' : 'buyer-limit' };
    },

    async namesCategories(code) {
      return (await find(code))?.categories !== undefined;
    },

    async take({ code: text, holdId, buyerId, isPromised = false }) {
      const coupon = await find(text);
      if (!coupon) return { kind: 'bad-coupon', reason: 'unknown' };
      if (coupon.disabledAtMs !== null && !isPromised) return { kind: 'bad-coupon', reason: 'disabled' };
      if (!isCounted(coupon)) return { kind: 'taken', isNew: false };
      const { code, usesMax, perBuyerMax } = coupon;
      for (let looks = 0; looks < looksMax; looks += 1) {
        const reply = await uses.take({ code, holdId, buyerId, usesMax, perBuyerMax });
        if (reply.kind === 'taken') return reply;
        if (reply.kind === 'lost') await restore(code);
        else if (reply.overdue.length === 0 || !(await clearOverdue(code, reply.overdue)))
          return { kind: 'bad-coupon', reason: reply.kind };
      }
      throw new PublicError('unavailable', 'The coupon is being counted: try again', {
        retryAfterMs: 1_000,
      });
    },

    async end({ code, holdId, fate }) {
      await uses.end(code, [{ holdId, fate }]);
    },

    async create(terms) {
      const problem = termsProblem(terms);
      if (problem) throw new PublicError('invalid-input', problem);
      const coupon: Coupon = { ...terms, createdAtMs: clock.now(), disabledAtMs: null };
      if (!(await store.insert(coupon)))
        throw new PublicError('conflict', 'This code was given out before: its uses are counted under it');
      remembered.delete(coupon.code);
      return coupon;
    },

    async disable(code) {
      const coupon = await store.disable(code, clock.now());
      if (!coupon) throw new PublicError('not-found', 'There is no such coupon');
      remembered.delete(code);
      return coupon;
    },

    async list(page) {
      const found = await store.list(page);
      return Promise.all(
        found.map(async coupon => ({
          ...coupon,
          usedCount: isCounted(coupon) ? await uses.count(coupon.code) : 0,
        })),
      );
    },
  };
}
