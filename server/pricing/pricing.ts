// Prices for carts: what a drop asks for its items and this buyer, shipping and tax for one destination, sealed so that
// `hold.place` can trust it without looking anything up. A quote is for one buyer, one drop, one destination, until it expires.
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Money } from '../money.ts';
import type { Sealer } from '../platform/seal.ts';
import type { CouponCart, CouponRefusal } from '../promotions/coupon.rules.ts';
import type { Cart, CartPrice } from './cart.rules.ts';
import type { ExchangeRate } from './conversion.rules.ts';
import { roundingStepOf } from './currencies.rules.ts';
import type { Discount } from './discount.rules.ts';
import { fallenTo, nextStepAfter, type PriceStep } from './falling-price.rules.ts';
import type { PricePool } from './price-pool.ts';
import type { Destination, Quote, QuotedLine } from './quote.ts';
import type { Rates } from './rates.ts';
import type { ShippingTable } from './shipping.rules.ts';
import { type OwnTaxRates, type TaxClass, taxRatesOf } from './tax-rates.rules.ts';
import { type GroupTerms, type PriceTier, unitPriceOf } from './unit-price.rules.ts';
import { variantPriceIn } from './variant-price.rules.ts';

/** What a drop asks for its items, in minor units of its one currency; null where there is no such drop. */
export type DropPrices = (dropId: DropId) => Promise<{
  readonly currency: string;
  readonly items: ReadonlyMap<Sku, ListedItem>;
  readonly perBuyerMax: number;
  /** As it was announced. Until then the way that prices fall may change. */
  readonly opensAtMs: number;
} | null>;

/** What is asked for a SKU, before the buyer and the quantity are looked at. */
export interface ListedItem {
  readonly title: string;
  readonly amount: number;
  readonly tiers?: readonly PriceTier[] | undefined;
  readonly taxClass?: TaxClass | undefined;
  /** How `amount` falls over time; absent where it stays. */
  readonly steps?: readonly PriceStep[] | undefined;
  /** The rate that amount and tiers were converted by. */
  readonly rate?: ExchangeRate | undefined;
}

/** What the catalog says of SKUs; those that it does not have, or that are not shown, are missing. */
export type CatalogPrices = (skus: readonly Sku[]) => Promise<
  ReadonlyMap<
    Sku,
    {
      readonly title: string;
      readonly price: Money;
      readonly prices: readonly Money[];
      readonly tiers: readonly { readonly from: number; readonly price: Money }[];
      readonly taxClass: TaxClass;
    }
  >
>;

/** What the groups that the buyer is in have for these SKUs. */
export type GroupTermsFor = (
  buyer: { buyerId: BuyerId; groups: readonly string[] },
  cart: { currency: string; skus: readonly Sku[] },
) => Promise<ReadonlyMap<Sku, readonly GroupTerms[]>>;

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
  /** Groups that the buyer's verified token names: never what a request says. */
  readonly groups?: readonly string[] | undefined;
  readonly dropId: DropId;
  readonly lines: readonly { readonly sku: Sku; readonly quantity: number }[];
  readonly coupon?: string | undefined;
  readonly destination: Destination;
  readonly shipping?: string | undefined;
  readonly currency: string;
  /** The instant whose prices count, where prices fall over time; without it, now. */
  readonly atMs?: number | undefined;
  /** Aborted where nobody waits for the answer any more. */
  readonly signal?: AbortSignal | undefined;
}

/** The next step of a line's price: what a unit costs from then on, before tier and group. */
export interface PriceFall {
  readonly sku: Sku;
  readonly atMs: number;
  readonly amount: number;
}

export type QuoteOutcome =
  /** `sealed` is what the buyer carries; `value` is what it says, with titles in full. */
  | { kind: 'quoted'; sealed: string; value: Quote; falls: readonly PriceFall[] }
  | { kind: 'bad-coupon'; reason: CouponRefusal }
  | { kind: 'not-shippable'; because: 'country' | 'method' }
  /** More than nothing, and less than the till takes in one payment. */
  | { kind: 'below-minimum'; minimum: Money }
  | { kind: 'busy'; retryAfterMs: number };

/** A cart of the catalog, which nobody can buy as it stands: that takes a drop. */
export type EstimateRequest = Omit<QuoteRequest, 'dropId' | 'coupon' | 'atMs'>;

export type EstimateOutcome =
  | { kind: 'estimated'; value: Estimate }
  /** The shop has neither a price nor a rate for it. */
  | { kind: 'no-price'; sku: Sku }
  | { kind: 'not-shippable'; because: 'country' | 'method' }
  | { kind: 'busy'; retryAfterMs: number };

export type Estimate = Omit<
  Quote,
  'dropId' | 'buyerId' | 'coupon' | 'pricedAtMs' | 'pricedUntilMs' | 'expiresAtMs'
>;

export interface Pricing {
  /**
   * Throws PublicError `not-found` for an absent drop, and `invalid-input` for a SKU that the drop does not sell, a
   * SKU named twice, another currency than the drop's, or a total beyond what a card can be charged.
   * Whether the buyer may have that many is not judged here: `hold.place` counts what they hold already, and says so.
   */
  quote(request: QuoteRequest): Promise<QuoteOutcome>;
  /**
   * What a cart costs by the catalog's prices of this moment, in any currency that the shop has prices or rates for; sealed by
   * nobody. Throws PublicError `invalid-input` for a SKU that the catalog does not show, or a total beyond what a card can
   * be charged.
   */
  estimate(request: EstimateRequest): Promise<EstimateOutcome>;
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
  /** Without it nobody is in a group. */
  groupTerms?: GroupTermsFor;
  /** Where the shop taxes otherwise than the table says. */
  taxRates?: OwnTaxRates;
  /** Without them nothing can be estimated. */
  catalog?: { prices: CatalogPrices; rates: Pick<Rates, 'intoSoon'> };
}): Pricing {
  const { dropPrices, sealer, clock, pool, shippingTable, missedLeastAmount, groupTerms, catalog } = deps;
  const ownRates = deps.taxRates ?? {};
  const hasOwnRates = Object.keys(ownRates).length > 0;
  /** Only what differs travels to the thread. */
  const taxRatesFor = (destination: Destination) =>
    hasOwnRates ? { taxRates: taxRatesOf(destination, ownRates) } : {};
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
      const { currency, coupon, buyerId, dropId } = request;
      const { items, ...moment } = itemsAt(request, drop, request.atMs ?? clock.now());
      const lines = linesOf(request, items, await termsOf(request));
      const judged =
        coupon === undefined ? null : await judgeCoupon(coupon, buyerId, { dropId, currency, lines });
      if (judged?.kind === 'bad') return { kind: 'bad-coupon', reason: judged.reason };
      const price = await priceOf(request, {
        lines: judged
          ? lines.map((line, index) => ({ ...line, eligible: judged.eligible[index] ?? false }))
          : lines,
        discount: judged?.discount,
      });
      if (price.kind !== 'priced') return price;
      const least = missedLeastAmount?.({ amount: price.totalAmount, currency }) ?? null;
      if (least !== null) return { kind: 'below-minimum', minimum: { amount: least, currency } };
      const value = quoteOf(request, {
        lines,
        price,
        rates: ratesOf(request, drop.items),
        coupon: judged?.code,
        moment,
        expiresAtMs: clock.now() + limits.quoteTtlMs,
      });
      const sealed = sealer.seal({ ...value, lines: value.lines.map(withShortTitle) });
      return { kind: 'quoted', sealed, value, falls: moment.falls };
    },

    async estimate(request) {
      if (!catalog) throw new Error('there is no catalog to estimate by');
      const { currency } = request;
      const skus = request.lines.map(({ sku }) => sku);
      const [variants, rates] = await Promise.all([catalog.prices(skus), catalog.rates.intoSoon(currency)]);
      const items = new Map<Sku, ListedItem>();
      for (const sku of skus) {
        const variant = variants.get(sku);
        if (!variant) throw new PublicError('invalid-input', `SKU ${sku} is not in the catalog`);
        const listed = variantPriceIn(variant, currency, rates);
        if (!listed) return { kind: 'no-price', sku };
        items.set(sku, { ...listed, title: variant.title, taxClass: variant.taxClass });
      }
      const lines = linesOf(request, items, await termsOf(request));
      const price = await priceOf(request, { lines });
      if (price.kind !== 'priced') return price;
      return {
        kind: 'estimated',
        value: pricedCart(request, { lines, price, rates: ratesOf(request, items) }),
      };
    },
  };

  /** Of what a thread answers, all but a total beyond what a card can be charged, which is the request's own fault. */
  async function priceOf(
    { currency, destination, shipping, signal }: EstimateRequest,
    cart: Pick<Cart, 'lines' | 'discount'>,
  ) {
    const price = await pool.price(
      {
        ...cart,
        currency,
        destination,
        shippingMethod: shipping,
        shippingTable,
        ...taxRatesFor(destination),
      },
      signal,
    );
    if (price.kind === 'too-much') throw tooMuch();
    return price.kind === 'busy' ? { kind: price.kind, retryAfterMs: busyRetryMs } : price;
  }

  async function termsOf(request: EstimateRequest): Promise<ReadonlyMap<Sku, readonly GroupTerms[]>> {
    const { buyerId, groups = [], currency, lines } = request;
    const skus = lines.map(({ sku }) => sku);
    return (await groupTerms?.({ buyerId, groups }, { currency, skus })) ?? new Map();
  }
}

function tooMuch(): PublicError {
  return new PublicError('invalid-input', 'This cart costs more than one payment can carry');
}

type PricedCart = Extract<CartPrice, { kind: 'priced' }>;
type CartLine = Omit<QuotedLine, 'totalAmount' | 'discountAmount'>;

interface Moment {
  /** Undefined where no price of the cart falls. */
  readonly pricedAtMs: number | undefined;
  /** Until when the prices hold for certain; undefined where nothing is known to change them. */
  readonly pricedUntilMs: number | undefined;
  readonly falls: readonly PriceFall[];
}

/** The cart's items at what they have fallen to by then. */
function itemsAt(
  request: QuoteRequest,
  { items, opensAtMs }: { items: ReadonlyMap<Sku, ListedItem>; opensAtMs: number },
  atMs: number,
): Moment & { items: ReadonlyMap<Sku, ListedItem> } {
  const falling = request.lines.flatMap(({ sku }) => {
    const item = items.get(sku);
    return item?.steps?.length ? [{ sku, item, steps: item.steps }] : [];
  });
  // A hold's own instant stays that of its cart, also where its price was held meanwhile and falls no more.
  if (falling.length === 0) return { items, pricedAtMs: request.atMs, pricedUntilMs: undefined, falls: [] };
  const fallen = new Map(items);
  for (const { sku, item, steps } of falling)
    fallen.set(sku, { ...item, amount: fallenTo(item.amount, steps, atMs) });
  const falls = falling.flatMap(({ sku, steps }) => {
    const next = nextStepAfter(steps, atMs);
    return next ? [{ sku, ...next }] : [];
  });
  // The shop may change a schedule until so long before it opens: no quote of an earlier one is good for a hold then.
  const changesFromMs = atMs < opensAtMs ? [atMs + limits.termsLeadMs] : [];
  const ends = [...changesFromMs, ...falls.map(fall => fall.atMs)];
  return {
    items: fallen,
    pricedAtMs: atMs,
    pricedUntilMs: ends.length > 0 ? Math.min(...ends) : undefined,
    falls,
  };
}

function linesOf(
  request: EstimateRequest,
  items: ReadonlyMap<Sku, ListedItem>,
  terms: ReadonlyMap<Sku, readonly GroupTerms[]>,
): CartLine[] {
  const seen = new Set<Sku>();
  const step = roundingStepOf(request.currency);
  return request.lines.map(({ sku, quantity }) => {
    if (seen.has(sku)) throw new PublicError('invalid-input', `SKU ${sku} stands in the cart twice`);
    seen.add(sku);
    const item = items.get(sku);
    if (!item) throw new PublicError('invalid-input', `SKU ${sku} is not sold in this drop`);
    const { title, amount: listAmount, tiers, taxClass } = item;
    const { amount, ...why } = unitPriceOf({
      amount: listAmount,
      quantity,
      tiers,
      groups: terms.get(sku),
      step,
    });
    return {
      sku,
      title,
      quantity,
      unitAmount: amount,
      ...(amount === listAmount ? {} : { listAmount }),
      ...why,
      ...(taxClass && taxClass !== 'standard' ? { taxClass } : {}),
    };
  });
}

/** Each rate once that a price of this cart was made by. */
function ratesOf(request: EstimateRequest, items: ReadonlyMap<Sku, ListedItem>): ExchangeRate[] {
  const used = request.lines.flatMap(({ sku }) => items.get(sku)?.rate ?? []);
  return [...new Map(used.map(rate => [`${rate.from} ${rate.rate} ${rate.atMs}`, rate])).values()];
}

/** What is the same of a quote and of an estimate. */
function pricedCart(
  request: EstimateRequest,
  priced: { lines: readonly CartLine[]; price: PricedCart; rates: ExchangeRate[] },
): Estimate {
  const { lines, price, rates } = priced;
  return {
    lines: lines.map((line, index) => {
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
    taxes: [...price.taxes],
    ...(rates.length > 0 ? { rates } : {}),
    totalAmount: price.totalAmount,
    shipping: price.shippingMethod,
    destination: request.destination,
  };
}

function quoteOf(
  request: QuoteRequest,
  priced: {
    lines: readonly CartLine[];
    price: PricedCart;
    rates: ExchangeRate[];
    coupon: string | undefined;
    moment: Moment;
    expiresAtMs: number;
  },
): Quote {
  const { coupon, moment, expiresAtMs } = priced;
  const { pricedAtMs, pricedUntilMs } = moment;
  return {
    dropId: request.dropId,
    buyerId: request.buyerId,
    ...pricedCart(request, priced),
    ...(coupon === undefined ? {} : { coupon }),
    ...(pricedAtMs === undefined ? {} : { pricedAtMs }),
    ...(pricedUntilMs === undefined ? {} : { pricedUntilMs }),
    expiresAtMs,
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
