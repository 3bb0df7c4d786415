// From what stands in the form for a coupon to what `admin.coupon.create` takes, or to what is wrong with which field. Pure:
// the words for what is wrong are made from the kind of it.
import type { ApiInputs } from '../../../index.ts';
import { bounds } from '../drops/bounds.ts';
import { minorOf, skuPattern } from '../drops/drop-form.rules.ts';
import { readPercent } from './price-forms.rules.ts';

export const discountKinds = ['percent', 'fixed', 'buy-x-get-y'] as const;
export type DiscountKind = (typeof discountKinds)[number];

export type CouponProblem =
  | { kind: 'required' | 'code' | 'percent' | 'price' | 'currency' | 'time' | 'endsBefore' | 'skus' }
  | { kind: 'whole'; min: number; max: number };

type CouponInput = ApiInputs['admin']['coupon']['create'];

export function readCouponForm(
  fields: Readonly<Record<string, string>>,
  at: { minorPerMajor: (currency: string) => number },
):
  | { kind: 'good'; input: CouponInput }
  | { kind: 'wrong'; problems: Readonly<Record<string, CouponProblem>> } {
  const problems: Record<string, CouponProblem> = {};
  const text = (name: string) => (fields[name] ?? '').trim();
  /** Undefined where the field is left out. */
  const optional = <T>(name: string, read: (name: string) => T) =>
    text(name) === '' ? undefined : read(name);
  const whole = (name: string, max: number): number => {
    const value = Number(text(name));
    if (!/^\d+$/.test(text(name)) || value < 1 || value > max)
      problems[name] = { kind: 'whole', min: 1, max };
    return value;
  };
  const time = (name: string): number => {
    const atMs = new Date(text(name)).getTime();
    if (!Number.isFinite(atMs)) problems[name] = { kind: 'time' };
    return atMs;
  };
  const money = (name: string) => {
    const currency = text('currency').toUpperCase();
    if (!/^[A-Z]{3}$/.test(currency)) {
      problems['currency'] = { kind: 'currency' };
      return { amount: 1, currency };
    }
    const amount = minorOf(text(name), at.minorPerMajor(currency));
    if (amount === null || amount === 0) problems[name] = { kind: 'price' };
    return { amount: amount ?? 1, currency };
  };
  const list = (name: string) =>
    text(name)
      .split(',')
      .map(part => part.trim())
      .filter(Boolean);

  const code = text('code').normalize('NFKC');
  if (code === '') problems['code'] = { kind: 'required' };
  else if (!/^[\p{L}\p{N}_.-]{1,40}$/u.test(code)) problems['code'] = { kind: 'code' };

  const readDiscount = (): CouponInput['discount'] => {
    const kind = discountKinds.find(each => each === text('kind')) ?? 'percent';
    switch (kind) {
      case 'percent': {
        const percent = readPercent(text('percent'));
        if (percent === null) problems['percent'] = { kind: 'percent' };
        return { kind, percent: percent ?? 1 };
      }
      case 'fixed':
        return { kind, amount: money('amount') };
      case 'buy-x-get-y':
        return {
          kind,
          buy: whole('buy', bounds.lineQuantityCount),
          get: whole('get', bounds.lineQuantityCount),
        };
    }
  };
  const discount = readDiscount();
  const startsAtMs = optional('startsAt', time);
  const endsAtMs = optional('endsAt', time);
  if (startsAtMs !== undefined && endsAtMs !== undefined && endsAtMs <= startsAtMs)
    problems['endsAt'] = { kind: 'endsBefore' };
  const minSubtotal = optional('minSubtotal', money);
  const skus = optional('skus', list);
  if (skus?.some(sku => !skuPattern.test(sku))) problems['skus'] = { kind: 'skus' };
  const categories = optional('categories', list);
  const dropId = text('dropId');
  const usesMax = optional('usesMax', name => whole(name, bounds.couponUsesCount));
  const perBuyerMax = optional('perBuyerMax', name => whole(name, bounds.couponUsesCount));
  if (Object.keys(problems).length > 0) return { kind: 'wrong', problems };
  return {
    kind: 'good',
    input: {
      code,
      discount,
      ...(startsAtMs === undefined ? {} : { startsAtMs }),
      ...(endsAtMs === undefined ? {} : { endsAtMs }),
      ...(minSubtotal === undefined ? {} : { minSubtotal }),
      ...(skus?.length ? { skus } : {}),
      ...(categories?.length ? { categories } : {}),
      ...(dropId === '' ? {} : { dropIds: [dropId] }),
      ...(usesMax === undefined ? {} : { usesMax }),
      ...(perBuyerMax === undefined ? {} : { perBuyerMax }),
    },
  };
}

/** What a code does at this moment; the server decides, and this only says it. */
export function couponState(
  coupon: {
    disabledAtMs: number | null;
    startsAtMs?: number | undefined;
    endsAtMs?: number | undefined;
    usesMax?: number | undefined;
    usedCount: number;
  },
  nowMs: number,
): 'disabled' | 'not-yet' | 'expired' | 'used-up' | 'counts' {
  const { disabledAtMs, startsAtMs, endsAtMs, usesMax, usedCount } = coupon;
  if (disabledAtMs !== null) return 'disabled';
  if (endsAtMs !== undefined && endsAtMs <= nowMs) return 'expired';
  if (startsAtMs !== undefined && startsAtMs > nowMs) return 'not-yet';
  return usesMax !== undefined && usedCount >= usesMax ? 'used-up' : 'counts';
}
