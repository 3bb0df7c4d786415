// What a price is made of, one rule at a time: tiers, groups, a shop's own tax rates, rates between currencies, and what a drop
// asks for its items. That they add up for any cart is the model's to show (test/model/money.model.test.ts).
import { describe, expect, test } from 'vitest';
import { productInputSchema } from '../../server/catalog/product.ts';
import { createDropInput } from '../../server/drops/drop-schemas.ts';
import { priceItems, type CatalogVariant } from '../../server/drops/price-items.ts';
import { PublicError } from '../../server/errors.ts';
import { groupTermsOf } from '../../server/groups/group.rules.ts';
import { groupTermsSchema } from '../../server/groups/group.ts';
import { type Sku, skuSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { convertAmount, type ExchangeRate } from '../../server/pricing/conversion.rules.ts';
import { readOwnTaxRates } from '../../server/pricing/own-tax-rates.ts';
import { createRates } from '../../server/pricing/rates.ts';
import { rateOf, taxByRate } from '../../server/pricing/tax.rules.ts';
import { taxClasses, taxRatesOf } from '../../server/pricing/tax-rates.rules.ts';
import { unitPriceOf } from '../../server/pricing/unit-price.rules.ts';

const eur = (amount: number) => ({ amount, currency: 'EUR' });
const usd = (amount: number) => ({ amount, currency: 'USD' });
const nowMs = 1_800_000_000_000;

describe('quantity tiers of a variant', () => {
  const problemOf = (variant: Record<string, unknown>) => {
    const product = { productId: 'a', title: 'A', variants: [{ sku: 'a', price: eur(1_000), ...variant }] };
    return productInputSchema.safeParse(product).error?.issues[0]?.message ?? null;
  };
  const tier = (from: number, price: { amount: number; currency: string }) => ({ from, price });

  test('begin at more and more pieces, cost less and less, and may be in each currency of its prices', () => {
    expect(problemOf({ tiers: [tier(2, eur(900)), tier(10, eur(800))] })).toBeNull();
    const both = { prices: [usd(1_200)], tiers: [tier(5, usd(1_100)), tier(5, eur(900)), tier(9, usd(1))] };
    expect(problemOf(both)).toBeNull();
  });

  test.each([
    ['EUR: tiers must begin at more pieces', [tier(10, eur(900)), tier(5, eur(800))]],
    ['EUR: tiers must begin at more pieces', [tier(5, eur(900)), tier(5, eur(800))]],
    ['EUR: each tier must be cheaper', [tier(5, eur(900)), tier(10, eur(900))]],
    ['EUR: each tier must be cheaper', [tier(5, eur(1_000))]],
    ['USD: a tier needs a price of the variant', [tier(5, usd(900))]],
    ['Too small', [tier(1, eur(900))]],
    ['Too big', [tier(limits.lineQuantityCount + 1, eur(900))]],
  ])('are refused: %s', (message, tiers) => {
    expect(problemOf({ tiers })).toContain(message);
  });
});

describe('the price of a unit', () => {
  const groups = [
    { group: 'b', basisPoints: 1_000 },
    { group: 'a', basisPoints: 1_000 },
  ];

  test('is the drop’s, then the tier’s, then the group’s, and says what it comes from', () => {
    const line = { amount: 1_000, quantity: 5, tiers: [{ from: 5, amount: 900 }], step: 1 };
    expect(unitPriceOf({ ...line, quantity: 4 })).toEqual({ amount: 1_000 });
    expect(unitPriceOf(line)).toEqual({ amount: 900, tierFrom: 5 });
    expect(unitPriceOf({ ...line, groups })).toEqual({ amount: 810, tierFrom: 5, group: 'a' });
    // Its own price owes nothing to the tier.
    expect(unitPriceOf({ ...line, groups: [{ group: 'c', amount: 500 }] })).toEqual({
      amount: 500,
      group: 'c',
    });
    expect(unitPriceOf({ ...line, groups: [{ group: 'c', amount: 950 }] })).toEqual({
      amount: 900,
      tierFrom: 5,
    });
    // What a drop has fallen to already is not raised by a tier.
    expect(unitPriceOf({ ...line, amount: 700 })).toEqual({ amount: 700 });
  });

  test('of a group has no price in another currency, and needs something to say at all', () => {
    const sku = skuSchema.parse('lamp');
    const group = { group: 'staff', prices: [{ sku, price: eur(5) }], createdAtMs: 0, updatedAtMs: 0 };
    expect(groupTermsOf([group], { sku, currency: 'EUR' })).toEqual([{ group: 'staff', amount: 5 }]);
    expect(groupTermsOf([group], { sku, currency: 'USD' })).toEqual([]);
    for (const wrong of [
      { group: 'staff' },
      { group: 'Staff', percent: 5 },
      { group: 'staff', percent: 0 },
      { group: 'staff', percent: 100.01 },
      { group: 'staff', percent: 5.001 },
      { group: 'staff', prices: [group.prices[0], group.prices[0]] },
    ])
      expect([wrong, groupTermsSchema.safeParse(wrong).success]).toEqual([wrong, false]);
  });
});

describe('tax by class', () => {
  test('is the country’s for the class, the standard rate where the table does not say, and never above it', () => {
    const rates = (country: string) => taxClasses.map(each => rateOf(taxRatesOf({ country }), each));
    expect(rates('DE')).toEqual([19_000, 7_000, 7_000, 19_000, 0]);
    expect(rates('FR')).toEqual([20_000, 10_000, 5_500, 20_000, 0]);
    expect(rates('DK')).toEqual([25_000, 25_000, 25_000, 25_000, 0]);
    expect(rates('US')).toEqual([0, 0, 0, 0, 0]);
    const letters = Array.from({ length: 26 }, (_, index) => String.fromCodePoint(65 + index));
    for (const country of letters.flatMap(one => letters.map(other => one + other))) {
      const [standard = 0, ...others] = rates(country);
      expect([country, others.filter(rate => rate > standard)]).toEqual([country, []]);
    }
  });

  test('is, in the EU and beside it, what the Commission’s database listed for the country', () => {
    // TEDB by vatnode/eu-vat-rates-data, 2026-04-28: the standard rate, then the reduced ones of the mainland.
    const listed = `AT 20 10 13;BE 21 6 12;BG 20 9;CY 19 3 5 9;CZ 21 12;DE 19 7;DK 25;EE 24 9 13;ES 21 4 10;FI 25.5 10 13.5;
      FR 20 2.1 5.5 10;GR 24 6 13;HR 25 5 13;HU 27 5 18;IE 23 9 13.5;IT 22 4 5 10;LT 21 5 12;LU 17 3 8 14;LV 21 5 12;
      MT 18 5 7;NL 21 9;PL 23 5 8;PT 23 6 13;RO 21 11;SE 25 6 12;SI 22 5 9.5;SK 23 5 19;GB 20 5;NO 25 12 15;IS 24 11;
      MC 20 2.1 5.5 10`;
    const zeroRated = ['CZ', 'GB', 'IE', 'NO'];
    for (const row of listed.split(';')) {
      const [country = '', standard, ...reduced] = row.trim().split(' ');
      const found = taxClasses.map(each => rateOf(taxRatesOf({ country }), each) / 1_000);
      expect([country, found[0]]).toEqual([country, Number(standard)]);
      expect([country, found[1]]).toEqual([country, Number(reduced.at(-1) ?? standard)]);
      const books = zeroRated.includes(country)
        ? [0]
        : [...reduced, ...(reduced.length > 0 ? [] : [standard])].map(Number);
      expect([country, books]).toEqual([country, expect.arrayContaining([found[2]])]);
    }
  });

  test('knows a province of Canada by its name, too', () => {
    const at = (state: string) => rateOf(taxRatesOf({ country: 'CA', state }));
    expect(['ON', 'ontario ', 'Île-du-Prince-Édouard', 'Alberta', 'QC', 'Ohio'].map(at)).toEqual([
      13_000, 13_000, 15_000, 5_000, 5_000, 5_000,
    ]);
    const own = { 'CA-QC': { standard: 14.975 } };
    expect(taxRatesOf({ country: 'CA', state: 'Québec' }, own).standard).toBe(14_975);
  });

  test('shares shipping among the rates by what their goods cost, and at the highest where all are free', () => {
    const shared = (amounts: number[]) =>
      taxByRate({
        lines: [
          { amount: amounts[0] ?? 0, taxClass: 'books' },
          { amount: amounts[1] ?? 0 },
          { amount: amounts[2] ?? 0, taxClass: 'reduced' },
        ],
        shippingAmount: 100,
        currency: 'EUR',
        rates: taxRatesOf({ country: 'DE' }),
      }).map(({ rateMillipercent, taxableAmount }) => [rateMillipercent, taxableAmount]);
    // Books and reduced are one rate in Germany.
    expect(shared([1_000, 3_000, 1_000])).toEqual([
      [19_000, 3_060],
      [7_000, 2_040],
    ]);
    expect(shared([0, 0, 0])).toEqual([
      [19_000, 100],
      [7_000, 0],
    ]);
  });

  test('can be set by the shop, for a country and for a part of one, and nothing else is changed by that', () => {
    const read = readOwnTaxRates(
      '{"DE":{"food":0},"CA-QC":{"standard":14.975},"XK":{"standard":18,"included":true}}',
    );
    if (read.kind !== 'rates') throw new Error(read.because);
    const of = (country: string, state?: string) => taxRatesOf({ country, state }, read.rates);
    expect(of('DE')).toMatchObject({ standard: 19_000, byClass: { food: 0, books: 7_000 }, included: true });
    expect(of('CA', ' qc')).toMatchObject({ standard: 14_975, included: false });
    expect(of('CA', 'ON')).toMatchObject({ standard: 13_000 });
    expect(of('XK')).toMatchObject({ standard: 18_000, included: true });
    expect(of('constructor')).toMatchObject({ standard: 0 });
    for (const wrong of [
      '',
      '[]',
      '{"Germany":{"standard":19}}',
      '{"DE":{}}',
      '{"DE":{"standard":"19"}}',
      '{"DE":{"standard":101}}',
      '{"DE":{"standard":-1}}',
      '{"DE":{"standard":7.00001}}',
      '{"DE":{"toys":7}}',
    ])
      expect([wrong, readOwnTaxRates(wrong).kind]).toEqual([wrong, 'wrong']);
    expect(readOwnTaxRates('{"DE":{"toys":7}}')).toMatchObject({
      because: 'DE: toys is no tax class; there are standard, reduced, books, food, zero, and included',
    });
  });
});

describe('a rate', () => {
  const rate = (from: string, to: string, text: string): ExchangeRate => ({
    from,
    to,
    rate: text,
    atMs: nowMs,
  });

  test.each([
    ['EUR', 'JPY', '160.25', 1_999, 3_203],
    ['JPY', 'EUR', '0.00624', 1_000, 624],
    ['EUR', 'KWD', '0.3325', 1_000, 3_330],
    ['EUR', 'USD', '1.0845', 1_000, 1_085],
    ['EUR', 'USD', '0.000000001', 99_999_999, 1],
    ['EUR', 'USD', '1', 0, 0],
  ])('from %s to %s of %s makes %i into %i', (from, to, text, amount, expected) => {
    expect(convertAmount(amount, rate(from, to, text))).toBe(expected);
  });

  test('is of its own way, of no day to come, used while it is not too old, and bounded in number', async () => {
    const kept: ExchangeRate[] = [];
    const rates = createRates({
      store: {
        all: async () => kept,
        put: async given => void kept.push(given),
        remove: async () => false,
      },
      clock: { now: () => nowMs },
    });
    expect(await rates.put({ from: 'EUR', to: 'USD', rate: '1.08' })).toBe('put');
    const old = nowMs - limits.exchangeRateAgeMs - 1;
    await rates.put({ from: 'GBP', to: 'USD', rate: '1.3', atMs: old });
    expect([...(await rates.into('USD')).keys()]).toEqual(['EUR']);
    expect([...(await rates.into('EUR')).keys()]).toEqual([]);
    expect((await rates.list()).map(({ usable }) => usable)).toEqual([true, false]);
    for (const wrong of [
      { from: 'EUR', to: 'EUR', rate: '1' },
      { from: 'EUR', to: 'USD', rate: '0.000' },
      { from: 'EUR', to: 'USD', rate: '1,08' },
      { from: 'EUR', to: 'USD', rate: '1.08', atMs: nowMs + 120_000 },
    ])
      await expect(rates.put(wrong)).rejects.toThrow(PublicError);
    while (kept.length < limits.exchangeRatesCount) kept.push(rate('EUR', 'CHF', '1'));
    expect(await rates.put({ from: 'EUR', to: 'SEK', rate: '11' })).toBe('full');
  });
});

describe('what a drop asks for its items', () => {
  const sku = (text: string): Sku => skuSchema.parse(text);
  const catalog = new Map<Sku, CatalogVariant>([
    [
      sku('book'),
      { title: 'Book', price: eur(2_000), tiers: [{ from: 3, price: eur(1_800) }], taxClass: 'books' },
    ],
    [sku('lamp'), { title: 'Lamp', price: eur(9_000), prices: [usd(9_900)], taxClass: 'standard' }],
  ]);
  const rates: ExchangeRate[] = [{ from: 'EUR', to: 'USD', rate: '1.1', atMs: nowMs }];
  type Asked = Parameters<typeof createDropInput.shape.items.parse>[0];
  const asked = (items: Asked, currency?: string) =>
    priceItems(
      { opensAtMs: 0, items: createDropInput.shape.items.parse(items), currency },
      {
        variantsBySku: async skus => new Map([...catalog].filter(([each]) => skus.includes(each))),
        ratesInto: async to => new Map(rates.filter(each => each.to === to).map(each => [each.from, each])),
      },
    );
  const item = (text: string, more: object = {}) => ({ sku: text, total: 1, ...more });

  test('is the catalog’s, with its tiers and tax class, in the currency that it names', async () => {
    expect(await asked([item('book'), item('lamp')])).toEqual([
      {
        sku: 'book',
        title: 'Book',
        price: eur(2_000),
        tiers: [{ from: 3, amount: 1_800 }],
        taxClass: 'books',
        total: 1,
        withdrawn: 0,
      },
      { sku: 'lamp', title: 'Lamp', price: eur(9_000), total: 1, withdrawn: 0 },
    ]);
    expect(await asked([item('book'), item('lamp')], 'USD')).toMatchObject([
      { price: usd(2_200), tiers: [{ from: 3, amount: 1_980 }], rate: { rate: '1.1' } },
      { price: usd(9_900) },
    ]);
    expect((await asked([item('lamp')], 'USD'))[0]?.rate).toBeUndefined();
  });

  test('is its own price where it has one, with the tiers that are still cheaper, or with none', async () => {
    expect(await asked([item('book', { price: eur(1_900) })])).toMatchObject([
      { tiers: [{ amount: 1_800 }] },
    ]);
    expect((await asked([item('book', { price: eur(1_500) })]))[0]?.tiers).toBeUndefined();
    expect((await asked([item('book', { tiers: [] })]))[0]?.tiers).toBeUndefined();
    const own = { price: eur(1_500), tiers: [{ from: 2, price: eur(1_400) }] };
    expect(await asked([item('new', own)])).toMatchObject([
      { title: 'new', tiers: [{ from: 2, amount: 1_400 }] },
    ]);
  });

  test('takes no tier that would have to be converted where it has a price of its own, whatever the other items need', async () => {
    const book = item('book', { price: usd(5_000) });
    const [alone] = await asked([book], 'USD');
    const [together] = await asked([book, item('lamp')], 'USD');
    expect([alone, together].map(found => [found?.tiers, found?.rate])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  test('is refused in parts of a unit that no card can pay, wherever the shop says a price', () => {
    const kwd = (amount: number) => ({ amount, currency: 'KWD' });
    const accepted = (price: object) =>
      [
        createDropInput.shape.items.safeParse([item('new', { price })]),
        groupTermsSchema.safeParse({ group: 'staff', prices: [{ sku: 'lamp', price }] }),
        productInputSchema.safeParse({ productId: 'a', title: 'A', variants: [{ sku: 'a', price }] }),
      ].map(({ success }) => success);
    expect(accepted(kwd(1_230))).toEqual([true, true, true]);
    expect(accepted(kwd(1_234))).toEqual([false, false, false]);
    expect(accepted({ amount: 1_234, currency: 'JPY' })).toEqual([true, true, true]);
  });

  test.each([
    ['is not in the catalog', [item('new')], undefined],
    ['share one currency', [item('book'), item('lamp', { price: usd(1) })], undefined],
    ['share one currency', [item('lamp', { price: usd(1) })], 'EUR'],
    ['set a rate from EUR', [item('book')], 'CHF'],
    ['cannot be kept', [item('book', { tiers: [{ from: 2, price: eur(2_000) }] })], undefined],
    ['tiers in another currency', [item('book', { tiers: [{ from: 2, price: usd(1) }] })], undefined],
  ])('is refused where it %s', async (message, items, currency) => {
    await expect(asked(items, currency)).rejects.toThrow(message);
  });
});
