// Whether a coupon is good for a cart: each reason to refuse it, and what it comes off.
import { describe, expect, test } from 'vitest';
import { judgeCoupon, termsProblem, type CouponCart } from '../../server/promotions/coupon.rules.ts';
import { couponTermsSchema, type Coupon } from '../../server/promotions/coupon.ts';
import { priceCart } from '../../server/pricing/cart.rules.ts';

const nowMs = 1_800_000_000_000;
const cart: CouponCart = {
  dropId: 'drop-1',
  currency: 'EUR',
  lines: [
    { sku: 'lamp', quantity: 2, unitAmount: 2_999 },
    { sku: 'sofa', quantity: 1, unitAmount: 40_000 },
  ],
  categoriesOf: sku => (sku === 'lamp' ? ['light'] : ['seats', 'home']),
};
const couponOf = (terms: object): Coupon => ({
  ...couponTermsSchema.parse({ code: 'SPRING', discount: { kind: 'percent', percent: 12.5 }, ...terms }),
  createdAtMs: 0,
  disabledAtMs: null,
});
const reasonFor = (coupon: Coupon) => {
  const judged = judgeCoupon(coupon, cart, nowMs);
  return judged.kind === 'bad' ? judged.reason : judged.kind;
};

describe('a coupon', () => {
  test.each([
    ['not-yet', couponOf({ startsAtMs: nowMs + 1 })],
    ['expired', couponOf({ endsAtMs: nowMs })],
    ['disabled', { ...couponOf({}), disabledAtMs: nowMs }],
    ['other-drop', couponOf({ dropIds: ['drop-2'] })],
    ['other-currency', couponOf({ minSubtotal: { amount: 1, currency: 'USD' } })],
    ['other-currency', couponOf({ discount: { kind: 'fixed', amount: { amount: 5, currency: 'JPY' } } })],
    ['below-minimum', couponOf({ minSubtotal: { amount: 45_999, currency: 'EUR' } })],
    ['nothing-eligible', couponOf({ skus: ['rug'] })],
    ['nothing-eligible', couponOf({ categories: ['rugs'] })],
    ['nothing-eligible', couponOf({ discount: { kind: 'buy-x-get-y', buy: 2, get: 2 } })],
    ['good', couponOf({ minSubtotal: { amount: 45_998, currency: 'EUR' }, startsAtMs: nowMs })],
  ])('is %s', (reason, coupon) => {
    expect(reasonFor(coupon)).toBe(reason);
  });

  test('comes off the SKUs and categories that it names, and off nothing else', () => {
    const judged = judgeCoupon(couponOf({ skus: ['rug'], categories: ['light'] }), cart, nowMs);
    if (judged.kind === 'bad') throw new Error(judged.reason);
    const lines = cart.lines.map((line, index) => ({ ...line, eligible: judged.eligible[index] ?? false }));
    const price = priceCart({
      lines,
      currency: 'EUR',
      destination: { country: 'DE' },
      discount: judged.discount,
    });
    // 12.5 % of 59.98 is 7.4975.
    expect(price).toMatchObject({ lineDiscounts: [750, 0], discountAmount: 750, totalAmount: 45_248 });
  });

  test('is written as it may be: one spelling of a code, sound terms, amounts that can be paid', () => {
    expect(couponOf({ code: ' Frühling-5 ' }).code).toBe('frühling-5');
    expect(
      couponTermsSchema.safeParse({ code: 'a}b', discount: { kind: 'percent', percent: 1 } }).success,
    ).toBe(false);
    expect(
      couponTermsSchema.safeParse({ code: 'ab', discount: { kind: 'percent', percent: 0.125 } }).success,
    ).toBe(false);
    expect(termsProblem(couponOf({ startsAtMs: 2, endsAtMs: 2 }))).toMatch(/end after/);
    const fixed = (amount: number, currency: string) =>
      termsProblem(couponOf({ discount: { kind: 'fixed', amount: { amount, currency } } }));
    expect(fixed(1_234, 'KWD')).toMatch(/steps of 10/);
    expect(fixed(1_230, 'KWD')).toBe(null);
  });
});
