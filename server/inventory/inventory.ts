// Holds as a buyer meets them: a pass and a sealed quote become units set aside, atomically, without a database.
import { hash } from 'node:crypto';
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId, HoldId } from '../ids.ts';
import type { Sealer } from '../platform/seal.ts';
import { quoteSchema, type Quote } from '../pricing/quote.ts';
import type { CouponRefusal } from '../promotions/coupon.rules.ts';
import type { CouponHolds, CouponPlaceOutcome } from './coupon-holds.ts';
import type { HoldRecord } from './holds.store.ts';

/** Prices the cart of a quote as of a later instant; `lapsed` where it cannot be had any more as it was quoted. */
export type RepriceQuote = (
  quote: Quote,
  at: { atMs: number; groups: readonly string[] },
) => Promise<
  | { kind: 'quoted'; quote: Quote }
  | { kind: 'lapsed' }
  | { kind: 'bad-coupon'; reason: CouponRefusal }
  | { kind: 'busy'; retryAfterMs: number }
>;

/** What a pass must say to be honoured here; the queue seals it. */
export interface PassClaims {
  readonly dropId: DropId;
  readonly buyerId: BuyerId;
  readonly expiresAtMs: number;
}

export interface PlacedHold {
  readonly outcome: CouponPlaceOutcome;
  readonly quote: Quote;
}

export interface Inventory {
  /** Places the hold. A pass or a quote that is forged or another's is refused as `forbidden`. */
  place(request: {
    holdId: HoldId;
    buyerId: BuyerId;
    /** As the buyer's token says. */
    groups?: readonly string[];
    pass: string;
    quote: string;
  }): Promise<PlacedHold>;
  /** The buyer's own hold with what was frozen into it; another's is as absent as none. */
  get(buyerId: BuyerId, holdId: HoldId): Promise<{ hold: HoldRecord; quote: Quote }>;
  release(buyerId: BuyerId, holdId: HoldId): Promise<{ hold: HoldRecord; quote: Quote }>;
}

/** Steps are a second apart at least: who is overtaken by three of them may ask again. */
const fallsMax = 3;

export function createInventory(options: {
  store: CouponHolds;
  passes: Sealer<PassClaims>;
  quotes: Sealer<Quote>;
  /** For drops whose prices fall. Without it, who comes with an older price is told to ask for a new one. */
  falling?: { reprice: RepriceQuote; clock: { now(): number } };
}): Inventory {
  const { store, passes, quotes, falling } = options;

  const find = async (buyerId: BuyerId, holdId: HoldId) => {
    const hold = await store.find(holdId);
    if (!hold || hold.buyerId !== buyerId) throw new PublicError('not-found', 'There is no such hold');
    return { hold, quote: quoteSchema.parse(JSON.parse(hold.frozen)) };
  };

  /**
   * A hold costs what the drop asks at the instant it is placed, and never more than the quote said. So a quote from
   * before a fall is priced anew; between that and the script the price may fall once more, and then again.
   */
  const placeFallen = async (
    { holdId, quote, groups }: { holdId: HoldId; quote: Quote; groups: readonly string[] },
    placeFor: (cart: Quote) => Promise<CouponPlaceOutcome>,
  ): Promise<PlacedHold> => {
    let cart = quote;
    for (let looks = 0; ; looks += 1) {
      const outcome = await placeFor(cart);
      if ('replay' in outcome && outcome.replay) {
        // The same call again finds the price that the first one froze.
        const hold = await store.find(holdId);
        return { outcome, quote: hold ? quoteSchema.parse(JSON.parse(hold.frozen)) : cart };
      }
      const { pricedUntilMs } = cart;
      const nowMs = falling?.clock.now() ?? quote.expiresAtMs;
      if (outcome.kind !== 'quote-expired' || !falling || pricedUntilMs === undefined)
        return { outcome, quote: cart };
      if (nowMs >= quote.expiresAtMs || looks >= fallsMax) return { outcome, quote: cart };
      // The script's clock may be a moment ahead of this process's.
      const fallen = await falling.reprice(quote, { atMs: Math.max(nowMs, pricedUntilMs), groups });
      switch (fallen.kind) {
        case 'busy':
          throw new PublicError('unavailable', 'The price has just fallen, and many are asking: try again', {
            retryAfterMs: fallen.retryAfterMs,
          });
        case 'bad-coupon':
          return { outcome: fallen, quote: cart };
        case 'lapsed':
          return { outcome, quote: cart };
        case 'quoted':
          if (fallen.quote.totalAmount > quote.totalAmount) return { outcome, quote: cart };
          cart = fallen.quote;
      }
    }
  };

  return {
    async place({ holdId, buyerId, groups = [], pass: passText, quote: quoteText }) {
      const pass = passes.open(passText);
      const quote = quotes.open(quoteText);
      if (!pass || pass.buyerId !== buyerId)
        throw new PublicError('forbidden', 'This pass is not one of yours');
      if (!quote || quote.buyerId !== buyerId)
        throw new PublicError('forbidden', 'This quote is not one of yours');
      if (quote.dropId !== pass.dropId)
        throw new PublicError('invalid-input', 'The pass and the quote are for different drops');
      const asked = {
        holdId,
        dropId: pass.dropId,
        buyerId,
        passExpiresAtMs: pass.expiresAtMs,
        fingerprint: hash('sha256', `${passText}\n${quoteText}`, 'base64url'),
      };
      const placeFor = async (cart: Quote): Promise<CouponPlaceOutcome> => {
        const request = {
          ...asked,
          // A price that has fallen is as good as expired: the script, which has the last word on the time, says so.
          quoteExpiresAtMs: Math.min(cart.expiresAtMs, cart.pricedUntilMs ?? cart.expiresAtMs),
          frozen: JSON.stringify(cart),
          lines: cart.lines.map(({ sku, quantity }) => ({ sku, quantity })),
          coupon: cart.coupon,
        };
        const outcome = await store.place(request);
        if (outcome.kind !== 'all-held') return outcome;
        // Holds that have run out may not have been swept yet: what they return is looked for before saying no.
        const swept = await store.sweep(pass.dropId);
        return swept.holdsCount > 0 ? store.place(request) : outcome;
      };
      if (quote.pricedAtMs === undefined) return { outcome: await placeFor(quote), quote };
      return placeFallen({ holdId, quote, groups }, placeFor);
    },
    get: find,
    async release(buyerId, holdId) {
      const { hold, quote } = await find(buyerId, holdId);
      const coupon = quote.coupon === undefined ? undefined : { code: quote.coupon, buyerId };
      await store.release(hold.dropId, holdId, 'buyer', coupon);
      return find(buyerId, holdId);
    },
  };
}
