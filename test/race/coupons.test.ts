// Coupons under a crowd, over real services: uses are counted in one step, end as their holds and orders do, and are
// whole again after Redis has lost them. The negative control counts by reading and then writing.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Drop } from '../../server/drops/drop.ts';
import { newBuyerId, orderIdOf, refundIdSchema, type BuyerId, type HoldId } from '../../server/ids.ts';
import { withCoupons, type CouponHolds } from '../../server/inventory/coupon-holds.ts';
import { limits } from '../../server/limits.ts';
import { couponKey, dropKey } from '../../server/platform/keys.ts';
import { couponTermsSchema } from '../../server/promotions/coupon.ts';
import type { Coupons } from '../../server/promotions/coupons.ts';
import { createEngineCoupons } from '../../server/promotions/engine-coupons.ts';
import { quietLog, startCheckoutWorld } from '../support/checkout-world.ts';
import { newHoldId, skuOf } from '../support/engine.ts';

const usesMax = 100;
const parallelCount = 1_000;

let world: Awaited<ReturnType<typeof startCheckoutWorld>>;
let coupons: Coupons;
let holds: CouponHolds;
let shop: ReturnType<typeof world.open>;

beforeAll(async () => {
  world = await startCheckoutWorld();
  const { engine, ports, clock } = world;
  coupons = createEngineCoupons({
    mongo: world.connection,
    redis: engine.redis,
    run: engine.run,
    holds: engine.holds,
    orders: ports.ordersStore,
    clock,
    log: quietLog,
  });
  holds = withCoupons(engine.holds, coupons);
  shop = world.open({ holds }, { wakeEvent: eventId => void shop.applyEvent(eventId) });
  world.setWebhook(shop.receive);
});
afterAll(() => world.dispose());

let codesCount = 0;
async function newCoupon(limit: { usesMax?: number; perBuyerMax?: number }): Promise<string> {
  codesCount += 1;
  const discount = { kind: 'percent', percent: 10 } as const;
  const terms = couponTermsSchema.parse({ code: `RACE-${codesCount}`, discount, ...limit });
  return (await coupons.create(terms)).code;
}

const take = (code: string, buyerId: BuyerId = newBuyerId(), holdId: HoldId = newHoldId()) =>
  coupons.take({ code, holdId, buyerId });
const usedOf = (code: string) => world.engine.redis.hlen(couponKey(code, 'uses'));
const countOf = (outcomes: readonly { kind: string }[], kind: string) =>
  outcomes.filter(outcome => outcome.kind === kind).length;

/** A held cart of 1,000 with a coupon that takes 100 off. */
async function holdWith(drop: Drop, code: string, change: { passExpiresAtMs?: number } = {}) {
  const holdId = newHoldId();
  const buyer = await world.engine.admitted(drop);
  const quote = world.quoteFor(drop, buyer.buyerId, {
    coupon: code,
    discountAmount: 100,
    totalAmount: 900,
  });
  const placed = await holds.place({
    holdId,
    dropId: drop.dropId,
    buyerId: buyer.buyerId,
    passExpiresAtMs: change.passExpiresAtMs ?? buyer.passExpiresAtMs,
    fingerprint: 'one',
    quoteExpiresAtMs: quote.expiresAtMs,
    frozen: JSON.stringify(quote),
    lines: [{ sku: skuOf('sku-a'), quantity: 1 }],
    coupon: code,
  });
  return { drop, holdId, buyerId: buyer.buyerId, orderId: orderIdOf(holdId), quote, placed };
}

/** Long enough for every use to be looked at, in the coupon's own time, too. */
async function pass(code: string, ms: number, drop: Drop) {
  await world.forward(ms, drop);
  const aheadMs = await world.engine.redis.get(dropKey(drop.dropId, 'clock'));
  await world.engine.redis.set(`door:{coupon/${code}}:clock`, aheadMs ?? '0');
}

describe('a coupon', () => {
  it('is used no more often than its limit by a thousand at once, by coupon and by buyer', async () => {
    const code = await newCoupon({ usesMax });
    const outcomes = await Promise.all(Array.from({ length: parallelCount }, () => take(code)));
    expect(countOf(outcomes, 'taken')).toBe(usesMax);
    expect(outcomes.find(({ kind }) => kind === 'bad-coupon')).toEqual({
      kind: 'bad-coupon',
      reason: 'used-up',
    });
    expect(await usedOf(code)).toBe(usesMax);

    const mine = await newCoupon({ perBuyerMax: 2 });
    const buyerId = newBuyerId();
    const tries = await Promise.all(Array.from({ length: parallelCount }, () => take(mine, buyerId)));
    expect(countOf(tries, 'taken')).toBe(2);
    expect(tries.at(-1)).toEqual({ kind: 'bad-coupon', reason: 'buyer-limit' });
    expect(await take(mine)).toMatchObject({ kind: 'taken' });
  });

  it('counts a hold once, however often and by however many it is asked for', async () => {
    const code = await newCoupon({ usesMax: 5 });
    const [holdId, buyerId] = [newHoldId(), newBuyerId()];
    const outcomes = await Promise.all(Array.from({ length: 50 }, () => take(code, buyerId, holdId)));
    expect(countOf(outcomes, 'taken')).toBe(50);
    expect(outcomes.filter(outcome => outcome.kind === 'taken' && outcome.isNew)).toHaveLength(1);
    expect(await usedOf(code)).toBe(1);
  });

  it('would be used too often if it were read first and written then', async () => {
    const code = await newCoupon({ usesMax });
    const { redis } = world.engine;
    const takeUnsafely = async () => {
      if ((await redis.hlen(couponKey(code, 'uses'))) >= usesMax) return { kind: 'bad-coupon' };
      await redis.hset(couponKey(code, 'uses'), newHoldId(), newBuyerId());
      return { kind: 'taken' };
    };
    const outcomes = await Promise.all(Array.from({ length: parallelCount }, takeUnsafely));
    expect(countOf(outcomes, 'taken')).toBeGreaterThan(usesMax);
  });

  it('comes back when its hold is refused, released, or has run out, and not twice', async () => {
    const code = await newCoupon({ usesMax: 1 });
    const drop = await world.drop(10);
    const first = await holdWith(drop, code);
    expect(first.placed.kind).toBe('held');
    expect((await holdWith(drop, code)).placed).toEqual({ kind: 'bad-coupon', reason: 'used-up' });
    // Asked again, the hold answers as it stands, though the coupon is used up: its use is its own.
    expect(await holds.find(first.holdId)).toMatchObject({ state: 'held' });
    const coupon = { code, buyerId: first.buyerId };
    await holds.release(drop.dropId, first.holdId, 'buyer', coupon);
    await holds.release(drop.dropId, first.holdId, 'buyer', coupon);
    expect(await usedOf(code)).toBe(0);

    expect((await holdWith(drop, code, { passExpiresAtMs: 1 })).placed.kind).toBe('pass-expired');
    expect(await usedOf(code)).toBe(0);

    expect((await holdWith(drop, code)).placed.kind).toBe('held');
    expect(await take(code)).toMatchObject({ kind: 'bad-coupon' });
    await pass(code, drop.holdTtlMs + limits.couponLookMs, drop);
    expect(await take(code)).toMatchObject({ kind: 'taken', isNew: true });
    expect(await usedOf(code)).toBe(1);
  });

  it('is counted for good by a paid order, given back by an unpaid one, and whole after Redis lost it', async () => {
    const code = await newCoupon({ usesMax: 2 });
    const drop = await world.drop(10);
    const paid = await holdWith(drop, code);
    const unpaid = await holdWith(drop, code);
    const payable = await world.pay(paid, shop);
    if (payable.kind !== 'payable') throw new Error(payable.kind);
    await world.confirm(payable.clientSecret);
    await world.until(paid.orderId, ({ settledAtMs }) => settledAtMs !== null, shop);
    expect(await world.pay(unpaid, shop)).toMatchObject({ kind: 'payable' });
    expect(await take(code)).toEqual({ kind: 'bad-coupon', reason: 'used-up' });

    // All of it is lost, and what the orders say is brought back before anybody is counted.
    await world.engine.redis.del(
      couponKey(code, 'uses'),
      couponKey(code, 'buyers'),
      couponKey(code, 'due'),
      couponKey(code, 'epoch'),
    );
    expect(await take(code)).toEqual({ kind: 'bad-coupon', reason: 'used-up' });
    expect(await usedOf(code)).toBe(2);

    await shop.orders.cancel(unpaid.orderId);
    await world.until(unpaid.orderId, ({ releasedAtMs }) => releasedAtMs !== null, shop);
    expect(await usedOf(code)).toBe(1);
    await pass(code, 3_600_000, drop);
    expect(await take(code)).toMatchObject({ kind: 'taken', isNew: true });
    expect(await take(code)).toEqual({ kind: 'bad-coupon', reason: 'used-up' });

    // The books: what was given back is of the total after the discount, and never more than it.
    const refunded = await shop.refund({
      refundId: refundIdSchema.parse('r-1'),
      orderId: paid.orderId,
      amount: 300,
      restock: false,
    });
    expect(refunded).toMatchObject({ refundedAmount: { amount: 300 } });
    expect(
      await shop.refund({
        refundId: refundIdSchema.parse('r-2'),
        orderId: paid.orderId,
        amount: 601,
        restock: false,
      }),
    ).toMatchObject({ kind: 'too-much' });
  });

  it('that Redis lost before its order was there is not paid for uncounted', async () => {
    const code = await newCoupon({ usesMax: 1 });
    const drop = await world.drop(10);
    const held = await holdWith(drop, code);
    await world.engine.redis.del(
      couponKey(code, 'uses'),
      couponKey(code, 'buyers'),
      couponKey(code, 'due'),
      couponKey(code, 'epoch'),
    );
    expect(await take(code)).toMatchObject({ kind: 'taken' });
    expect(await world.pay(held, shop)).toMatchObject({ kind: 'hold-expired' });
    expect(await usedOf(code)).toBe(1);
  });

  it('that was disabled takes no new holds, and keeps its promise to those that are there', async () => {
    const code = await newCoupon({ usesMax: 5 });
    const drop = await world.drop(10);
    const held = await holdWith(drop, code);
    await coupons.disable(code);
    expect(await take(code)).toEqual({ kind: 'bad-coupon', reason: 'disabled' });
    expect(await world.pay(held, shop)).toMatchObject({ kind: 'payable' });
  });
});
