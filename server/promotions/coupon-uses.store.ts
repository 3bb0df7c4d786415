// The uses of coupons, in Redis. A coupon counts in the whole shop and a drop's stock lies in the drop's own slot of a
// cluster, so no one script can take both: uses have a slot for each coupon, and scripts of their own.
import type { Redis } from 'ioredis';
import { holdIdSchema, type BuyerId, type HoldId } from '../ids.ts';
import { limits } from '../limits.ts';
import { couponKey } from '../platform/keys.ts';
import { luaScript, type LuaRunner } from '../platform/lua-scripts.ts';

export const couponTake = luaScript({
  name: 'coupon-take',
  keys: ['coupon-epoch', 'coupon-uses', 'coupon-buyers', 'coupon-due'],
  argv: ['holdId', 'buyer', 'usesMax', 'perBuyerMax', 'lookMs', 'overdueCount'],
  rest: false,
});
const couponEnd = luaScript({
  name: 'coupon-end',
  keys: ['coupon-uses', 'coupon-buyers', 'coupon-due'],
  argv: ['lookMs'],
  rest: true,
});
const couponRestore = luaScript({
  name: 'coupon-restore',
  keys: ['coupon-epoch', 'coupon-uses', 'coupon-buyers', 'coupon-due'],
  argv: ['server', 'done'],
  rest: true,
});

export interface UseRequest {
  readonly code: string;
  readonly holdId: HoldId;
  readonly buyerId: BuyerId;
  readonly usesMax?: number | undefined;
  readonly perBuyerMax?: number | undefined;
}

export type TakeReply =
  | { kind: 'taken'; isNew: boolean }
  /** `overdue`: uses in the way that nobody has looked at for a while. */
  | { kind: 'used-up' | 'buyer-limit'; overdue: HoldId[] }
  /** Redis may have lost uses: they are brought back first. */
  | { kind: 'lost' };

export type UseFate = 'unpaid' | 'paid' | 'alive';

export interface OrderedUse {
  readonly holdId: HoldId;
  readonly buyerId: BuyerId;
  readonly isPaid: boolean;
}

export type CouponUsesStore = ReturnType<typeof createCouponUsesStore>;

export function createCouponUsesStore(options: { redis: Redis; run: LuaRunner; clock: { now(): number } }) {
  const { redis, run, clock } = options;
  const keysOf = (code: string) => ({
    'coupon-epoch': couponKey(code, 'epoch'),
    'coupon-uses': couponKey(code, 'uses'),
    'coupon-buyers': couponKey(code, 'buyers'),
    'coupon-due': couponKey(code, 'due'),
  });
  return {
    async take(request: UseRequest): Promise<TakeReply> {
      const { code, holdId, buyerId, usesMax = 0, perBuyerMax = 0 } = request;
      const [kind, ...rest] = await run(couponTake, keysOf(code), {
        holdId,
        buyer: buyerId,
        usesMax,
        perBuyerMax,
        lookMs: limits.couponLookMs,
        overdueCount: limits.couponOverdueCount,
      });
      if (kind === 'taken') return { kind, isNew: rest[0] === '1' };
      if (kind === 'used-up' || kind === 'buyer-limit')
        return { kind, overdue: rest.map(id => holdIdSchema.parse(id)) };
      if (kind === 'lost') return { kind };
      throw new Error(`lua/coupon-take.lua answered ${String(kind)}, which its caller does not know`);
    },

    async end(code: string, uses: readonly { holdId: HoldId; fate: UseFate }[]): Promise<void> {
      if (uses.length === 0) return;
      const flat = uses.flatMap(({ holdId, fate }) => [holdId, fate]);
      await run(couponEnd, keysOf(code), { lookMs: limits.couponLookMs }, flat);
    },

    /** False where Redis changed under it: it is to be begun anew. */
    async restore(code: string, ordered: AsyncIterable<OrderedUse>): Promise<boolean> {
      const keys = keysOf(code);
      // Which Redis this is, is asked before the first order is read: one that is lost meanwhile is noticed.
      const [, server = ''] = await run(couponRestore, keys, { server: '', done: '0' });
      let batch: string[] = [];
      const write = async (done: '0' | '1') => {
        const [kind] = await run(couponRestore, keys, { server, done }, batch);
        batch = [];
        return kind === 'restored';
      };
      for await (const { holdId, buyerId, isPaid } of ordered) {
        batch.push(holdId, buyerId, isPaid ? '1' : '0');
        if (batch.length >= 3 * limits.couponRestoreCount && !(await write('0'))) return false;
      }
      return write('1');
    },

    /** Uses that nobody has looked at for a while, the longest first. */
    async overdue(code: string): Promise<HoldId[]> {
      const found = await redis.zrangebyscore(
        couponKey(code, 'due'),
        '-inf',
        clock.now(),
        'LIMIT',
        0,
        limits.couponOverdueCount,
      );
      return found.map(holdId => holdIdSchema.parse(holdId));
    },

    async count(code: string): Promise<number> {
      return redis.hlen(couponKey(code, 'uses'));
    },
    async ofBuyer(code: string, buyerId: BuyerId): Promise<number> {
      return Number((await redis.hget(couponKey(code, 'buyers'), buyerId)) ?? 0);
    },
  };
}
