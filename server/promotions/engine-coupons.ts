// Coupons put together from what a process has: server and worker alike take and end uses.
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { LuaRunner } from '../platform/lua-scripts.ts';
import type { MongoConnection } from '../platform/mongo.ts';
import { quoteSchema } from '../pricing/quote.ts';
import { createCoupons, type Coupons } from './coupons.ts';
import { createCouponsStore } from './coupons.store.ts';
import { createCouponUsesStore, type OrderedUse } from './coupon-uses.store.ts';
import { createFateOf, type FateSources } from './use-fates.ts';

export function createEngineCoupons(deps: {
  mongo: MongoConnection;
  redis: Redis;
  run: LuaRunner;
  holds: { find: FateSources['findHold'] };
  orders: { find: FateSources['findOrder']; usesOfCoupon(code: string): AsyncIterable<OrderedUse> };
  clock: { now(): number };
  log: Logger;
}): Coupons {
  const { mongo, redis, run, holds, orders, clock, log } = deps;
  return createCoupons({
    store: createCouponsStore(mongo),
    uses: createCouponUsesStore({ redis, run, clock }),
    fateOf: createFateOf({
      findHold: holdId => holds.find(holdId),
      findOrder: orderId => orders.find(orderId),
      couponIn: frozen => quoteSchema.safeParse(JSON.parse(frozen)).data?.coupon,
      clock,
    }),
    orderedUses: code => orders.usesOfCoupon(code),
    clock,
    log,
  });
}
