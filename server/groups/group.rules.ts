// What a group of buyers pays: which of the shop's terms concern a SKU. Pure.
import type { GroupTerms } from '../pricing/unit-price.rules.ts';
import type { Group } from './group.ts';

/** The terms of these groups for a SKU in a currency; a price in another currency is none. */
export function groupTermsOf(
  groups: readonly Group[],
  asked: { sku: string; currency: string },
): GroupTerms[] {
  return groups.flatMap(({ group, percent, prices }) => {
    const own = prices.find(({ sku, price }) => sku === asked.sku && price.currency === asked.currency);
    if (percent === undefined && !own) return [];
    return [
      {
        group,
        ...(percent === undefined ? {} : { basisPoints: Math.round(percent * 100) }),
        ...(own ? { amount: own.price.amount } : {}),
      },
    ];
  });
}
