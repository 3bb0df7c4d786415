// The cart of a quote, priced again as of a later instant: for a hold that is placed after the price has fallen.
import { PublicError } from '../errors.ts';
import type { CouponRefusal } from '../promotions/coupon.rules.ts';
import type { Pricing } from './pricing.ts';
import type { Quote } from './quote.ts';

type Repriced =
  | { kind: 'quoted'; quote: Quote }
  /** It cannot be had any more as it was quoted. */
  | { kind: 'lapsed' }
  /** The price has fallen below what the coupon asks for, or the coupon has ended. */
  | { kind: 'bad-coupon'; reason: CouponRefusal }
  | { kind: 'busy'; retryAfterMs: number };

export function createRepriceQuote(deps: {
  pricing: Pick<Pricing, 'quote'>;
  quotes: { open(text: string): Quote | null };
}): (quote: Quote, at: { atMs: number; groups: readonly string[] }) => Promise<Repriced> {
  const { pricing, quotes } = deps;
  return async (quote, { atMs, groups }) => {
    const { buyerId, dropId, lines, coupon, destination, shipping, currency } = quote;
    const outcome = await pricing
      .quote({ buyerId, groups, dropId, lines, coupon, destination, shipping, currency, atMs })
      .catch((error: unknown) => {
        if (error instanceof PublicError) return null;
        throw error;
      });
    switch (outcome?.kind) {
      case 'quoted': {
        // As it was sealed, with short titles: what is frozen into a hold is bounded.
        const fallen = quotes.open(outcome.sealed);
        return fallen ? { kind: 'quoted', quote: fallen } : { kind: 'lapsed' };
      }
      case 'bad-coupon':
      case 'busy':
        return outcome;
      case 'not-shippable':
      case 'below-minimum':
      case undefined:
        return { kind: 'lapsed' };
    }
  };
}
