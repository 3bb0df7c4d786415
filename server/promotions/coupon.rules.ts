// Whether a coupon is good for a cart, and for which of its lines. Pure.
//
// One coupon for each cart, and it comes off what the shop's own reductions have left: a coupon is a promise about the
// price that the buyer sees, and taken first it would also make those reductions smaller than announced. Two coupons
// never meet, so there is no order between them to argue about.
import type { BuyerId } from '../ids.ts';
import type { Discount } from '../pricing/discount.rules.ts';
import { roundingStepOf } from '../pricing/currencies.rules.ts';
import type { Coupon } from './coupon.ts';

export const couponRefusals = [
  'unknown',
  'disabled',
  'not-yet',
  'expired',
  'other-drop',
  'other-currency',
  'below-minimum',
  'nothing-eligible',
  'used-up',
  'buyer-limit',
] as const;
export type CouponRefusal = (typeof couponRefusals)[number];

/** What a cart, a hold or an order has of a coupon: its use is counted by both. */
export interface UsedCoupon {
  readonly code: string;
  readonly buyerId: BuyerId;
}

export interface CouponCart {
  readonly dropId: string;
  readonly currency: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly unitAmount: number }[];
  /** The categories of each SKU; only looked at where the coupon names some. */
  readonly categoriesOf: (sku: string) => readonly string[];
}

/** Why the coupon counts nowhere at this moment; null where it does. */
export function couponRefusalAt(coupon: Coupon, nowMs: number): CouponRefusal | null {
  if (coupon.disabledAtMs !== null) return 'disabled';
  if (coupon.startsAtMs !== undefined && nowMs < coupon.startsAtMs) return 'not-yet';
  if (coupon.endsAtMs !== undefined && nowMs >= coupon.endsAtMs) return 'expired';
  return null;
}

export function judgeCoupon(
  coupon: Coupon,
  cart: CouponCart,
  nowMs: number,
):
  | { kind: 'good'; code: string; discount: Discount; eligible: boolean[] }
  | { kind: 'bad'; reason: CouponRefusal } {
  const bad = (reason: CouponRefusal) => ({ kind: 'bad', reason }) as const;
  const refusal = couponRefusalAt(coupon, nowMs);
  if (refusal) return bad(refusal);
  if (coupon.dropIds && !coupon.dropIds.some(dropId => dropId === cart.dropId)) return bad('other-drop');
  const { discount, minSubtotal } = coupon;
  const currencies = [
    minSubtotal?.currency,
    discount.kind === 'fixed' ? discount.amount.currency : undefined,
  ];
  if (currencies.some(currency => currency !== undefined && currency !== cart.currency))
    return bad('other-currency');
  const subtotal = cart.lines.reduce((sum, line) => sum + line.unitAmount * line.quantity, 0);
  if (minSubtotal && subtotal < minSubtotal.amount) return bad('below-minimum');

  const skus = coupon.skus && new Set<string>(coupon.skus);
  const categories = coupon.categories && new Set(coupon.categories);
  const eligible = cart.lines.map(({ sku }) => {
    if (!skus && !categories) return true;
    return (
      (skus?.has(sku) ?? false) ||
      (categories !== undefined && cart.categoriesOf(sku).some(name => categories.has(name)))
    );
  });
  const units = cart.lines.reduce((sum, line, index) => sum + (eligible[index] ? line.quantity : 0), 0);
  const needed = discount.kind === 'buy-x-get-y' ? discount.buy + discount.get : 1;
  if (units < needed) return bad('nothing-eligible');
  return { kind: 'good', code: coupon.code, discount: discountOf(discount), eligible };
}

function discountOf(discount: Coupon['discount']): Discount {
  switch (discount.kind) {
    case 'percent':
      return { kind: 'percent', basisPoints: Math.round(discount.percent * 100) };
    case 'fixed':
      return { kind: 'fixed', amount: discount.amount.amount };
    case 'buy-x-get-y':
      return discount;
  }
}

/** What cannot be kept, in words; null where the terms are sound. */
export function termsProblem(terms: Pick<Coupon, 'discount' | 'startsAtMs' | 'endsAtMs'>): string | null {
  const { discount, startsAtMs, endsAtMs } = terms;
  if (startsAtMs !== undefined && endsAtMs !== undefined && endsAtMs <= startsAtMs)
    return 'the coupon must end after it starts';
  if (discount.kind !== 'fixed') return null;
  const { amount, currency } = discount.amount;
  const step = roundingStepOf(currency);
  // What is left must still be an amount that a card can pay.
  return amount % step === 0 ? null : `amounts in ${currency} are in steps of ${step} minor units`;
}

/** Whether anybody has to count its uses. */
export function isCounted(coupon: Pick<Coupon, 'usesMax' | 'perBuyerMax'>): boolean {
  return coupon.usesMax !== undefined || coupon.perBuyerMax !== undefined;
}
