// What a reduction is compared with: the lowest price of the 30 days before it, against a model that looks at every hour.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  priceChangesOf,
  type PricedProduct,
  type PriceEntry,
  reductionOf,
} from '../../server/catalog/price-history.rules.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const day = (days: number) => days * dayMs;
const entries = (...pairs: [number, number | null][]): PriceEntry[] =>
  pairs.map(([days, amount]) => ({ atMs: day(days), amount }));

describe('a reduction', () => {
  it('is compared with the lowest price of the 30 days before it, and not with the last one', () => {
    // Cheap three weeks before, raised, and then "reduced" from there.
    const history = entries([0, 100], [100, 80], [105, 120], [120, 70]);
    expect(reductionOf(history, day(121))).toEqual({
      sinceMs: day(120),
      lowestAmount: 80,
      knownSinceMs: null,
    });
    // The same raise longer ago counts no more.
    const older = entries([0, 100], [60, 80], [65, 120], [120, 70]);
    expect(reductionOf(older, day(121))?.lowestAmount).toBe(120);
  });

  it('that goes on step by step is compared with the price before its first step', () => {
    const history = entries([0, 100], [40, 90], [50, 80], [60, 70]);
    expect(reductionOf(history, day(61))).toMatchObject({ sinceMs: day(40), lowestAmount: 100 });
    // Interrupted by a rise, the steps before it are prices like others.
    const broken = entries([0, 100], [40, 90], [50, 95], [60, 70]);
    expect(reductionOf(broken, day(61))).toMatchObject({ sinceMs: day(60), lowestAmount: 90 });
  });

  it('is compared with a step that has stood for 30 days, which is the price by now, and not with what was before it', () => {
    const history = entries([0, 100], [40, 90], [300, 80], [310, 70]);
    expect(reductionOf(history, day(311))).toMatchObject({ sinceMs: day(300), lowestAmount: 90 });
    const justBefore = entries([0, 100], [40, 90], [69, 80]);
    expect(reductionOf(justBefore, day(70))).toMatchObject({ sinceMs: day(40), lowestAmount: 100 });
  });

  it('of a product that is new is compared with the time that there was, and says so', () => {
    expect(reductionOf(entries([10, 100], [20, 80]), day(21))).toEqual({
      sinceMs: day(20),
      lowestAmount: 100,
      knownSinceMs: day(10),
    });
  });

  it('is none where the price rose, never changed, went back, was lower before, or has stood for 30 days', () => {
    expect(reductionOf([], day(1))).toBeNull();
    expect(reductionOf(entries([0, 100]), day(1))).toBeNull();
    expect(reductionOf(entries([0, 100], [10, 110]), day(11))).toBeNull();
    expect(reductionOf(entries([0, 100], [10, 80], [12, 100]), day(13))).toBeNull();
    expect(reductionOf(entries([0, 80], [10, 120], [12, 90]), day(13))).toBeNull();
    expect(reductionOf(entries([0, 100], [10, 80]), day(40))).toBeNull();
    expect(reductionOf(entries([0, 100], [10, 80]), day(40) - 1)).not.toBeNull();
  });

  it('does not look across a time without an offer as if it were a fall, and knows no price that is to come', () => {
    expect(reductionOf(entries([0, 100], [10, null], [12, 80]), day(13))).toBeNull();
    expect(reductionOf(entries([0, 100], [10, null]), day(13))).toBeNull();
    expect(reductionOf(entries([0, 100], [10, 80]), day(9))).toBeNull();
  });

  /** Every hour of the 30 days before the first of the falls that followed each other. */
  function modelOf(history: readonly PriceEntry[], nowMs: number): number | null {
    const at = (ms: number) => history.findLast(({ atMs }) => atMs <= ms)?.amount ?? null;
    const present = at(nowMs);
    if (present === null) return null;
    let sinceMs: number | null = null;
    let later = present;
    let stoodHours = 0;
    for (let ms = nowMs - hourMs; ms >= (history[0]?.atMs ?? nowMs); ms -= hourMs) {
      const amount = at(ms);
      if (sinceMs === null && amount === present && nowMs - ms >= day(30)) return null;
      if (amount === null || amount < later) break;
      if (amount > later) {
        sinceMs = ms + hourMs;
        stoodHours = 0;
      }
      stoodHours += 1;
      // It was no step but the price, from which the fall after it began.
      if (sinceMs !== null && stoodHours * hourMs >= day(30)) break;
      later = amount;
    }
    if (sinceMs === null) return null;
    const applied: number[] = [];
    for (let ms = sinceMs - hourMs; ms >= sinceMs - day(30); ms -= hourMs) {
      const amount = at(ms);
      if (amount !== null) applied.push(amount);
    }
    const lowest = Math.min(...applied);
    return present < lowest ? lowest : null;
  }

  const histories = fc
    .array(
      fc.record({
        hours: fc.integer({ min: 1, max: 500 }),
        amount: fc.option(fc.integer({ min: 1, max: 6 }), { freq: 8 }),
      }),
      { minLength: 1, maxLength: 12 },
    )
    .map(changes => {
      let atMs = 0;
      return changes.map(({ hours, amount }) => ({ atMs: (atMs += hours * hourMs), amount }));
    });
  const agree = (lowestOf: (history: PriceEntry[], nowMs: number) => number | null) =>
    fc.assert(
      fc.property(histories, fc.integer({ min: 0, max: 1_000 }), (history, hours) => {
        const nowMs = (history.at(-1)?.atMs ?? 0) + hours * hourMs;
        expect(lowestOf(history, nowMs)).toBe(modelOf(history, nowMs));
      }),
      { numRuns: 1_500 },
    );

  it('is the same as by looking at every hour of any history', () => {
    expect(() => agree((history, nowMs) => reductionOf(history, nowMs)?.lowestAmount ?? null)).not.toThrow();
  });

  it('would be seen to be compared with the last price alone: the control', () => {
    const naive = (history: PriceEntry[]) => {
      const [before = null, present = null] = [history.at(-2)?.amount, history.at(-1)?.amount];
      return before !== null && present !== null && present < before ? before : null;
    };
    expect(() => agree(naive)).toThrow('Property failed');
  });
});

describe('a change of prices', () => {
  const price = (amount: number, currency = 'EUR') => ({ amount, currency });
  const change = { productId: 'p', rev: 7, sinceMs: 1, nowMs: 9 };
  const offered = (...variants: PricedProduct['variants']) => ({ isOffered: true, variants });
  const hidden = (...variants: PricedProduct['variants']) => ({ isOffered: false, variants });

  it('writes each price that differs, with what it was, by currency; and nothing where nothing does', () => {
    const before = offered({ sku: 'a', price: price(100), prices: [price(110, 'USD')] });
    expect(priceChangesOf({ ...change, before, after: before })).toEqual([]);
    const after = offered({ sku: 'a', price: price(90), prices: [price(110, 'USD')] });
    expect(priceChangesOf({ ...change, before, after })).toEqual([
      { id: 'a EUR p 0', sku: 'a', currency: 'EUR', atMs: 1, amount: 100 },
      { id: 'a EUR p 7', sku: 'a', currency: 'EUR', atMs: 9, amount: 90 },
    ]);
  });

  it('begins what comes anew now, and ends what goes', () => {
    const [a, b] = [
      { sku: 'a', price: price(100) },
      { sku: 'b', price: price(50) },
    ];
    expect(priceChangesOf({ ...change, before: offered(a), after: offered(b) })).toEqual([
      { id: 'a EUR p 0', sku: 'a', currency: 'EUR', atMs: 1, amount: 100 },
      { id: 'a EUR p 7', sku: 'a', currency: 'EUR', atMs: 9, amount: null },
      { id: 'b EUR p 0', sku: 'b', currency: 'EUR', atMs: 9, amount: 50 },
      { id: 'b EUR p 7', sku: 'b', currency: 'EUR', atMs: 9, amount: 50 },
    ]);
  });

  it('begins a price when its product is shown, and ends it when that is shown no more', () => {
    const a = { sku: 'a', price: price(100) };
    const dearer = { sku: 'a', price: price(200) };
    // What a draft is to cost was never asked of anybody.
    expect(priceChangesOf({ ...change, before: hidden(dearer), after: hidden(a) })).toEqual([]);
    const shown = priceChangesOf({ ...change, before: hidden(dearer), after: offered(a) });
    expect(shown.map(({ atMs, amount }) => [atMs, amount])).toEqual([
      [9, 100],
      [9, 100],
    ]);
    const archived = priceChangesOf({ ...change, before: offered(a), after: hidden(a) });
    expect(archived.map(({ atMs, amount }) => [atMs, amount])).toEqual([
      [1, 100],
      [9, null],
    ]);
  });
});
