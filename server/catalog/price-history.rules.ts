// What a price was over time, and what a reduction may be compared with. Pure.
//
// Article 6a of Directive 98/6/EC (added by Directive (EU) 2019/2161): where a price reduction is announced, the prior price
// is the lowest that the trader applied in the 30 days before. For goods on sale for less than that, the time that there
// was counts (paragraph 4 lets member states say so; the Commission's guidance, 2021/C 526/02, describes it). Where a
// reduction is increased step by step without interruption, the prior price is that before its first step (paragraph 5).
import { limits } from '../limits.ts';

/** From this instant on the price was so much, in minor units of one currency; null: it was not offered in it. */
export interface PriceEntry {
  readonly atMs: number;
  readonly amount: number | null;
}

/** A price that was asked for a while beside the catalog's: a drop's. */
export interface AppliedPrice {
  readonly fromMs: number;
  /** Infinity where nobody has said an end. */
  readonly untilMs: number;
  readonly amount: number;
}

/** What a drop asked for one SKU in one currency: of its opening first, and each that it fell to. */
export interface DropOffer {
  readonly dropId: string;
  /** When it ended or is to end; Infinity where nobody has said. */
  readonly endMs: number;
  readonly prices: readonly AppliedPrice[];
}

export interface Reduction {
  /** When the price first fell, of the falls that followed each other within those days. */
  readonly sinceMs: number;
  /** The lowest price of the 30 days before. */
  readonly lowestAmount: number;
  /** Where the history is shorter than that: since when it is known. */
  readonly knownSinceMs: number | null;
}

/**
 * The reduction that the present price is, or null where there is none to be announced: it never fell, it rose since, it is
 * no lower than it was within the 30 days before it fell, or it has stood for longer than those and is the price by now.
 * `entries` are one SKU's in one currency, oldest first; `others` was asked beside them, and counts for what was lowest.
 */
export function reductionOf(
  entries: readonly PriceEntry[],
  nowMs: number,
  others: readonly AppliedPrice[] = [],
): Reduction | null {
  const known = withoutRepeats(entries.filter(({ atMs }) => atMs <= nowMs));
  const last = known.length - 1;
  const present = known[last];
  if (!present || present.amount === null || nowMs - present.atMs >= limits.priceNoticeMs) return null;
  let before = last - 1;
  if (!fellAt(known, last)) return null;
  while (before > 0 && fellAt(known, before) && !hasStood(known, before)) before -= 1;
  const sinceMs = known[before + 1]?.atMs ?? present.atMs;
  const fromMs = sinceMs - limits.priceNoticeMs;
  let lowestAmount = Number.POSITIVE_INFINITY;
  for (let index = 0; index <= before; index += 1) {
    const { amount = null } = known[index] ?? {};
    // What was replaced before the 30 days began was not applied in them.
    const untilMs = known[index + 1]?.atMs ?? nowMs;
    if (amount !== null && untilMs > fromMs) lowestAmount = Math.min(lowestAmount, amount);
  }
  for (const other of others)
    if (other.fromMs < sinceMs && other.untilMs > fromMs) lowestAmount = Math.min(lowestAmount, other.amount);
  if (present.amount >= lowestAmount || !Number.isFinite(lowestAmount)) return null;
  const [first] = known;
  const knownSinceMs = first && first.atMs > fromMs ? first.atMs : null;
  return { sinceMs, lowestAmount, knownSinceMs };
}

function fellAt(entries: readonly PriceEntry[], index: number): boolean {
  const [before, after] = [entries[index - 1]?.amount ?? null, entries[index]?.amount ?? null];
  return before !== null && after !== null && after < before;
}

/** Whether a price that was replaced had been the price for so long that it was no step of a reduction any more. */
function hasStood(entries: readonly PriceEntry[], index: number): boolean {
  const [from, until] = [entries[index]?.atMs ?? 0, entries[index + 1]?.atMs ?? 0];
  return until - from >= limits.priceNoticeMs;
}

/** An entry that says the same as the one before it says nothing. */
function withoutRepeats(entries: readonly PriceEntry[]): PriceEntry[] {
  return entries.filter((entry, index) => index === 0 || entry.amount !== entries[index - 1]?.amount);
}

/** A product as far as its prices are concerned: what nobody is shown is offered at no price. */
export interface PricedProduct {
  readonly isOffered: boolean;
  readonly variants: readonly PricedVariant[];
}

interface PricedVariant {
  readonly sku: string;
  readonly price: { readonly amount: number; readonly currency: string };
  readonly prices?: readonly { readonly amount: number; readonly currency: string }[] | undefined;
}

/** One line of the history. Its id says which change it is of, so that the same line written again is the same line. */
export interface PriceChange extends PriceEntry {
  readonly id: string;
  readonly sku: string;
  readonly currency: string;
}

/**
 * What a change of a product writes down: each price that differs, with what it was before as the beginning, since a price
 * that never changed has no lines at all. `rev` is the change's; `sinceMs` is when the product was made. A SKU may become
 * another product's, whose revs count anew: so the lines are the product's.
 */
export function priceChangesOf(change: {
  productId: string;
  before: PricedProduct;
  after: PricedProduct;
  rev: number;
  sinceMs: number;
  nowMs: number;
}): PriceChange[] {
  const { productId, rev, sinceMs, nowMs } = change;
  const [before, after] = [pricesOf(change.before), pricesOf(change.after)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap(key => {
    const [sku = '', currency = ''] = key.split(' ');
    const [was = null, is = null] = [before.get(key), after.get(key)];
    if (was === is) return [];
    const line = { sku, currency };
    return [
      // The first to be written stands: later ones have the same id. One that comes anew begins now.
      {
        ...line,
        id: `${key} ${productId} 0`,
        ...(was === null ? { atMs: nowMs, amount: is } : { atMs: sinceMs, amount: was }),
      },
      { ...line, id: `${key} ${productId} ${rev}`, atMs: nowMs, amount: is },
    ];
  });
}

function pricesOf({ isOffered, variants }: PricedProduct): Map<string, number> {
  if (!isOffered) return new Map();
  const all = variants.flatMap(({ sku, price, prices = [] }) =>
    [price, ...prices].map(({ amount, currency }) => [`${sku} ${currency}`, amount] as const),
  );
  return new Map(all);
}
