// What a drop asked for a SKU, and the lowest price of the 30 days beside its own.
import { describe, expect, it } from 'vitest';
import { reductionOf } from '../../server/catalog/price-history.rules.ts';
import { lowestBefore, offerOf } from '../../server/drops/drop-offers.rules.ts';
import { skuSchema } from '../../server/ids.ts';

const dayMs = 24 * 3_600_000;
const day = (days: number) => days * dayMs;
const sku = skuSchema.parse('LAMP');
const asked = { sku, currency: 'EUR' };
const dropOf = (
  amount: number,
  change: { opensAtMs?: number; closesAtMs?: number; openedAtMs?: number; endedAtMs?: number } = {},
  steps?: { atMs: number; amount: number }[],
) => ({
  opensAtMs: day(100),
  closesAtMs: null,
  ...change,
  items: [{ sku, title: 'Lamp', price: { amount, currency: 'EUR' }, steps, total: 1, withdrawn: 0 }],
});
const own = (amount: number, steps?: { atMs: number; amount: number }[]) =>
  offerOf(dropOf(amount, {}, steps), asked);

describe('what a drop asked', () => {
  it('is its price from the opening to the end, and each that it fell to before that', () => {
    const steps = [
      { atMs: day(101), amount: 80 },
      { atMs: day(103), amount: 60 },
    ];
    expect(offerOf(dropOf(100, { closesAtMs: day(102) }, steps), asked)).toEqual([
      { fromMs: day(100), untilMs: day(101), amount: 100 },
      { fromMs: day(101), untilMs: day(102), amount: 80 },
    ]);
    expect(offerOf(dropOf(100, { endedAtMs: day(101) }, steps), asked)).toHaveLength(1);
    // Nobody has said an end: it may still be asked.
    expect(offerOf(dropOf(100), asked)).toEqual([
      { fromMs: day(100), untilMs: Number.POSITIVE_INFINITY, amount: 100 },
    ]);
  });

  it('begins with an opening by hand, and is nothing of a drop that ended before, or of another SKU or currency', () => {
    expect(offerOf(dropOf(100, { openedAtMs: day(90) }), asked)).toMatchObject([{ fromMs: day(90) }]);
    expect(offerOf(dropOf(100, { endedAtMs: day(90) }), asked)).toEqual([]);
    expect(offerOf(dropOf(100), { sku, currency: 'USD' })).toEqual([]);
    expect(offerOf(dropOf(100), { sku: 'OTHER', currency: 'EUR' })).toEqual([]);
  });
});

describe('beside the price of a drop', () => {
  const listed = [{ atMs: day(0), amount: 100 }];
  const nowMs = day(100);

  it('stands the lowest of the 30 days before it opens, of the catalog and of other drops, also while it is announced', () => {
    expect(lowestBefore({ own: own(70), listed, others: [], nowMs })).toBe(100);
    expect(lowestBefore({ own: own(70), listed, others: [], nowMs: day(99) })).toBe(100);
    const before = (amount: number, until: number) =>
      offerOf(dropOf(amount, { opensAtMs: day(60), closesAtMs: day(until) }), asked);
    expect(lowestBefore({ own: own(70), listed, others: before(80, 71), nowMs })).toBe(80);
    // Cheaper within those days: what is asked now is no reduction.
    expect(lowestBefore({ own: own(70), listed, others: before(70, 71), nowMs })).toBeNull();
    expect(lowestBefore({ own: own(70), listed, others: before(60, 70), nowMs })).toBe(100);
  });

  it('stands nothing where it is no lower than the catalog was, where nothing was asked before, and after 30 days', () => {
    expect(lowestBefore({ own: own(100), listed, others: [], nowMs })).toBeNull();
    expect(lowestBefore({ own: own(70), listed: [], others: [], nowMs })).toBeNull();
    expect(lowestBefore({ own: own(70), listed, others: [], nowMs: day(130) })).toBeNull();
    expect(lowestBefore({ own: [], listed, others: [], nowMs })).toBeNull();
  });

  it('stands, while it falls step by step, the price before the first fall below what was asked', () => {
    const falling = own(120, [
      { atMs: day(101), amount: 110 },
      { atMs: day(102), amount: 90 },
      { atMs: day(103), amount: 60 },
    ]);
    const at = (days: number) => lowestBefore({ own: falling, listed, others: [], nowMs: day(days) });
    // It begins above the catalog's price: until it is below that, nothing was reduced.
    expect([100, 101, 102, 103].map(at)).toEqual([null, null, 100, 100]);
    const fromList = own(100, [{ atMs: day(101), amount: 60 }]);
    expect(lowestBefore({ own: fromList, listed, others: [], nowMs: day(101) })).toBe(100);
  });
});

it('a reduction in the catalog is compared with what drops asked in the 30 days before it, too', () => {
  const catalog = [
    { atMs: day(0), amount: 100 },
    { atMs: day(100), amount: 80 },
  ];
  const drop = (amount: number, from: number, until: number) =>
    offerOf(dropOf(amount, { opensAtMs: day(from), closesAtMs: day(until) }), asked);
  const lowest = (others: ReturnType<typeof offerOf>) =>
    reductionOf(catalog, day(101), others)?.lowestAmount ?? null;
  expect(lowest(drop(90, 80, 81))).toBe(90);
  expect(lowest(drop(70, 80, 81))).toBeNull();
  expect(lowest(drop(70, 60, 70))).toBe(100);
  // It came after the reduction.
  expect(lowest(drop(70, 100, 102))).toBe(100);
});
