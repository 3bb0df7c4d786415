// Holds as a buyer meets them: a pass and a sealed quote become units set aside, atomically, without a database.
import { hash } from 'node:crypto';
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId, HoldId } from '../ids.ts';
import type { Sealer } from '../platform/seal.ts';
import { quoteSchema, type Quote } from '../pricing/quote.ts';
import type { CouponHolds, CouponPlaceOutcome } from './coupon-holds.ts';
import type { HoldRecord } from './holds.store.ts';

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
  place(request: { holdId: HoldId; buyerId: BuyerId; pass: string; quote: string }): Promise<PlacedHold>;
  /** The buyer's own hold with what was frozen into it; another's is as absent as none. */
  get(buyerId: BuyerId, holdId: HoldId): Promise<{ hold: HoldRecord; quote: Quote }>;
  release(buyerId: BuyerId, holdId: HoldId): Promise<{ hold: HoldRecord; quote: Quote }>;
}

export function createInventory(options: {
  store: CouponHolds;
  passes: Sealer<PassClaims>;
  quotes: Sealer<Quote>;
}): Inventory {
  const { store, passes, quotes } = options;

  const find = async (buyerId: BuyerId, holdId: HoldId) => {
    const hold = await store.find(holdId);
    if (!hold || hold.buyerId !== buyerId) throw new PublicError('not-found', 'There is no such hold');
    return { hold, quote: quoteSchema.parse(JSON.parse(hold.frozen)) };
  };

  return {
    async place({ holdId, buyerId, pass: passText, quote: quoteText }) {
      const pass = passes.open(passText);
      const quote = quotes.open(quoteText);
      if (!pass || pass.buyerId !== buyerId)
        throw new PublicError('forbidden', 'This pass is not one of yours');
      if (!quote || quote.buyerId !== buyerId)
        throw new PublicError('forbidden', 'This quote is not one of yours');
      if (quote.dropId !== pass.dropId)
        throw new PublicError('invalid-input', 'The pass and the quote are for different drops');
      const request = {
        holdId,
        dropId: pass.dropId,
        buyerId,
        passExpiresAtMs: pass.expiresAtMs,
        fingerprint: hash('sha256', `${passText}\n${quoteText}`, 'base64url'),
        quoteExpiresAtMs: quote.expiresAtMs,
        frozen: JSON.stringify(quote),
        lines: quote.lines.map(({ sku, quantity }) => ({ sku, quantity })),
        coupon: quote.coupon,
      };
      let outcome = await store.place(request);
      if (outcome.kind === 'all-held') {
        // Holds that have run out may not have been swept yet: what they return is looked for before saying no.
        const swept = await store.sweep(pass.dropId);
        if (swept.holdsCount > 0) outcome = await store.place(request);
      }
      return { outcome, quote };
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
