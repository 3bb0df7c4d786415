// Prices for carts: what a drop asks for its items, shipping and tax for one destination, sealed so that `hold.place`
// can trust it without looking anything up. A quote is for one buyer, one drop, one destination, until it expires.
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import type { Sealer } from '../platform/seal.ts';
import type { CouponCart, CouponRefusal } from '../promotions/coupon.rules.ts';
import type { CartPrice } from './cart.rules.ts';
import type { Discount } from './discount.rules.ts';
import type { PricePool } from './price-pool.ts';
import type { Destination, Quote, QuotedLine } from './quote.ts';
import type { ShippingTable } from './shipping.rules.ts';

/** What a drop asks for its items, in minor units of its one currency; null where there is no such drop. */
export type DropPrices = (dropId: DropId) => Promise<{
  readonly currency: string;
  readonly items: ReadonlyMap<Sku, { readonly title: string; readonly amount: number }>;
  readonly perBuyerMax: number;
} | null>;

/** Whether a coupon is good for a cart, and what it takes off which lines; `code` as its uses are counted under. */
export type JudgeCoupon = (
  coupon: string,
  buyerId: BuyerId,
  cart: Pick<CouponCart, 'dropId' | 'currency' | 'lines'>,
) => Promise<
  | { kind: 'good'; code: string; discount: Discount; eligible: readonly boolean[] }
  | { kind: 'bad'; reason: CouponRefusal }
>;

export interface QuoteRequest {
  readonly buyerId: BuyerId;
  readonly dropId: DropId;
  readonly lines: readonly { readonly sku: Sku; readonly quantity: number }[];
  readonly coupon?: string | undefined;
  readonly destination: Destination;
  readonly shipping?: string | undefined;
  readonly currency: string;
  /** Aborted where nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

export type QuoteOutcome =
  /** `sealed` is what the buyer carries; `value` is what it says, with titles in full. */
  | { kind: 'quoted'; sealed: string; value: Quote }
  | { kind: 'bad-coupon'; reason: CouponRefusal }
  | { kind: 'not-shippable'; because: 'country' | 'method' }
  /** More than nothing, and less than the till takes in one payment. */
  | { kind: 'below-minimum'; minimum: Money }
  | { kind: 'busy'; retryAfterMs: number };

export interface Pricing {
  /**
   * Throws PublicError `not-found` for an absent drop, and `invalid-input` for a SKU that the drop does not sell, a
   * SKU named twice, another currency than the drop's, or a total beyond what a card can be charged.
   * Whether the buyer may have that many is not judged here: `hold.place` counts what they hold already, and says so.
   */
  quote(request: QuoteRequest): Promise<QuoteOutcome>;
}

/** A full queue of 5,000 carts is priced in well under this. */
const busyRetryMs = 1_000;

export function createPricing(deps: {
  dropPrices: DropPrices;
  sealer: Sealer<Quote>;
  clock: { now(): number };
  pool: Pick<PricePool, 'price'>;
  shippingTable?: ShippingTable;
  /** Without it no code is known. */
  judgeCoupon?: JudgeCoupon;
  /** The least that can be paid, where a total misses it. */
  missedLeastAmount?: (total: Money) => number | null;
}): Pricing {
  const { dropPrices, sealer, clock, pool, shippingTable, missedLeastAmount } = deps;
  const judgeCoupon: JudgeCoupon =
    deps.judgeCoupon ?? (() => Promise.resolve({ kind: 'bad', reason: 'unknown' }));
  return {
    async quote(request) {
      const drop = await dropPrices(request.dropId);
      if (!drop) throw new PublicError('not-found', 'There is no such drop');
      if (request.currency !== drop.currency) {
        throw new PublicError(
          'invalid-input',
          `This drop sells in ${drop.currency}, not in ${request.currency}`,
        );
      }
      const lines = linesOf(request, drop.items);
      const { destination, currency, coupon, buyerId, dropId } = request;
      const judged =
        coupon === undefined ? null : await judgeCoupon(coupon, buyerId, { dropId, currency, lines });
      if (judged?.kind === 'bad') return { kind: 'bad-coupon', reason: judged.reason };
      const price = await pool.price(
        {
          lines: judged
            ? lines.map((line, index) => ({ ...line, eligible: judged.eligible[index] ?? false }))
            : lines,
          discount: judged?.discount,
          currency,
          destination,
          shippingMethod: request.shipping,
          shippingTable,
        },
        request.signal,
      );
      switch (price.kind) {
        case 'busy':
          return { kind: 'busy', retryAfterMs: busyRetryMs };
        case 'not-shippable':
          return price;
        case 'too-much':
          throw new PublicError('invalid-input', 'This cart costs more than one payment can carry');
        case 'priced': {
          const least = missedLeastAmount?.({ amount: price.totalAmount, currency }) ?? null;
          if (least !== null) return { kind: 'below-minimum', minimum: { amount: least, currency } };
          const value = quoteOf(request, {
            lines,
            price,
            coupon: judged?.code,
            expiresAtMs: clock.now() + limits.quoteTtlMs,
          });
          const sealed = sealer.seal({ ...value, lines: value.lines.map(withShortTitle) });
          return { kind: 'quoted', sealed, value };
        }
      }
    },
  };
}

type PricedCart = Extract<CartPrice, { kind: 'priced' }>;

function linesOf(
  request: QuoteRequest,
  items: ReadonlyMap<Sku, { readonly title: string; readonly amount: number }>,
): Omit<QuotedLine, 'totalAmount'>[] {
  const seen = new Set<Sku>();
  return request.lines.map(({ sku, quantity }) => {
    if (seen.has(sku)) throw new PublicError('invalid-input', `SKU ${sku} stands in the cart twice`);
    seen.add(sku);
    const item = items.get(sku);
    if (!item) throw new PublicError('invalid-input', `SKU ${sku} is not sold in this drop`);
    return { sku, title: item.title, quantity, unitAmount: item.amount };
  });
}

function quoteOf(
  request: QuoteRequest,
  priced: {
    lines: readonly Omit<QuotedLine, 'totalAmount'>[];
    price: PricedCart;
    coupon: string | undefined;
    expiresAtMs: number;
  },
): Quote {
  const { price, coupon } = priced;
  return {
    dropId: request.dropId,
    buyerId: request.buyerId,
    lines: priced.lines.map((line, index) => {
      const discountAmount = price.lineDiscounts[index] ?? 0;
      return {
        ...line,
        totalAmount: price.lineAmounts[index] ?? 0,
        ...(discountAmount > 0 ? { discountAmount } : {}),
      };
    }),
    currency: request.currency,
    subtotalAmount: price.subtotalAmount,
    discountAmount: price.discountAmount,
    shippingAmount: price.shippingAmount,
    taxAmount: price.taxAmount,
    taxIncluded: price.taxIncluded,
    totalAmount: price.totalAmount,
    ...(coupon === undefined ? {} : { coupon }),
    shipping: price.shippingMethod,
    destination: request.destination,
    expiresAtMs: priced.expiresAtMs,
  };
}

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' });

function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text));
}

/**
 * A sealed quote must fit its bound with the largest cart, whatever the titles are, or it could be made and never
 * be opened. So titles inside are cut, by their bytes in JSON.
 */
function withShortTitle(line: QuotedLine): QuotedLine {
  if (jsonBytes(line.title) <= limits.quoteTitleBytes) return line;
  const kept = Array.from(letters.segment(line.title), ({ segment }) => segment);
  while (kept.length > 0 && jsonBytes(`${kept.join('')}…`) > limits.quoteTitleBytes) kept.pop();
  return { ...line, title: `${kept.join('').trimEnd()}…` };
}
