// Money, over random carts: what must hold of every price. Each property has a control: rules in which one thing is
// wrong, as a hurried change would have it, under which the same property must fail.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dropIdSchema, newBuyerId, skuSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { type Cart, type CartPrice, priceCart } from '../../server/pricing/cart.rules.ts';
import {
  decimalFromMinor,
  divideHalfUp,
  minorFromDecimal,
  roundingStepOf,
} from '../../server/pricing/currencies.rules.ts';
import type { Discount } from '../../server/pricing/discount.rules.ts';
import { createPricing } from '../../server/pricing/pricing.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import { taxOf, taxRuleOf } from '../../server/pricing/tax.rules.ts';

const rules = { priceCart, taxOf, decimalFromMinor, minorFromDecimal };
type MoneyRules = typeof rules;

/** Written down here once more, from ISO 4217, so that the code's own table is not asked about itself. */
const withDecimals = (count: number, codes: string) =>
  codes.split(' ').map((code): [string, number] => [code, count]);
const decimals = new Map([
  ...withDecimals(0, 'JPY KRW ISK CLP VND UGX XAF'),
  ...withDecimals(2, 'USD EUR GBP CHF CAD HUF'),
  ...withDecimals(3, 'KWD BHD JOD TND OMR'),
]);
const currency = fc.constantFrom(...decimals.keys());
const country = fc.constantFrom('DE', 'FI', 'HU', 'GB', 'CH', 'NO', 'JP', 'KR', 'OM', 'CA', 'US', 'BR');

const discount: fc.Arbitrary<Discount> = fc.oneof(
  fc.record({ kind: fc.constant('percent' as const), basisPoints: fc.integer({ min: 1, max: 10_000 }) }),
  fc.record({ kind: fc.constant('fixed' as const), amount: fc.integer({ min: 1, max: 5_000_000 }) }),
  fc.record({
    kind: fc.constant('buy-x-get-y' as const),
    buy: fc.integer({ min: 1, max: 9 }),
    get: fc.integer({ min: 1, max: 9 }),
  }),
);

const cart: fc.Arbitrary<Cart> = fc.record({
  lines: fc.array(
    fc.record({
      sku: fc.uuid(),
      quantity: fc.integer({ min: 1, max: limits.lineQuantityCount }),
      // Small ones too: what goes wrong near zero is not seen in a cart of thousands.
      unitAmount: fc.oneof(fc.nat(40_000), fc.nat(9)),
      eligible: fc.boolean(),
    }),
    { minLength: 1, maxLength: limits.cartLinesCount },
  ),
  currency,
  discount: fc.option(discount, { nil: undefined }),
  destination: fc.record(
    { country, state: fc.constantFrom('ON', 'QC', 'NS', '') },
    { noNullPrototype: true },
  ),
  shippingTable: fc.oneof(fc.nat(50_000), fc.constant(0)).map(amount => ({
    methods: { parcel: { amount } },
    defaultMethod: 'parcel',
    excludedCountries: [],
  })),
});

type Priced = Extract<CartPrice, { kind: 'priced' }>;
function pricedBy(by: MoneyRules, given: Cart): Priced {
  const price = by.priceCart(given);
  assert.equal(price.kind, 'priced', 'every cart of this size has a price');
  return price;
}

const sumOf = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);

const addsUp = (by: MoneyRules) =>
  fc.property(cart, given => {
    const price = pricedBy(by, given);
    const lineAmounts = given.lines.map(line => line.unitAmount * line.quantity);
    assert.deepEqual(price.lineAmounts, lineAmounts, 'a line is its price times its quantity');
    assert.equal(price.subtotalAmount, sumOf(lineAmounts), 'the lines add up to the subtotal');
    const parts = price.subtotalAmount - price.discountAmount + price.shippingAmount;
    const onTop = price.taxIncluded ? 0 : price.taxAmount;
    assert.equal(price.totalAmount, parts + onTop, 'the parts add up to the total');
  });

const staysAboveZero = (by: MoneyRules) =>
  fc.property(cart, given => {
    const price = pricedBy(by, given);
    const { subtotalAmount, discountAmount, shippingAmount, taxAmount, totalAmount } = price;
    for (const amount of [subtotalAmount, discountAmount, shippingAmount, taxAmount, totalAmount]) {
      assert.ok(Number.isSafeInteger(amount) && amount >= 0, 'every amount is whole and not negative');
    }
    assert.ok(discountAmount <= subtotalAmount, 'a discount is at most what it discounts');
    for (const [index, off] of price.lineDiscounts.entries()) {
      assert.ok(Number.isSafeInteger(off) && off >= 0, 'every discount is whole and not negative');
      assert.ok(off <= (price.lineAmounts[index] ?? 0), 'a line is discounted by at most what it costs');
    }
  });

/** Against fractions, too; and by line, so that what a buyer sees beside each line is what they pay. */
const discountsAreShared = (by: MoneyRules) =>
  fc.property(cart, given => {
    const price = pricedBy(by, given);
    assert.equal(price.discountAmount, sumOf(price.lineDiscounts), 'the discounts of the lines add up');
    const isEligible = (index: number) =>
      given.discount !== undefined && given.lines[index]?.eligible !== false;
    const eligible = price.lineAmounts.filter((_, index) => isEligible(index));
    for (const [index, off] of price.lineDiscounts.entries())
      assert.ok(off === 0 || isEligible(index), 'what is not eligible is not discounted');
    const sum = sumOf(eligible);
    if (given.discount?.kind === 'fixed')
      assert.equal(
        price.discountAmount,
        Math.min(given.discount.amount, sum),
        'a fixed discount is what it says',
      );
    if (given.discount?.kind === 'percent') {
      const step = roundingStepOf(given.currency);
      const error = BigInt(price.discountAmount) * 10_000n - BigInt(sum) * BigInt(given.discount.basisPoints);
      const distance = 2n * (error < 0n ? -error : error);
      assert.ok(distance <= 10_000n * BigInt(step), 'a percentage is the nearest amount');
    }
    if (given.discount?.kind === 'buy-x-get-y') {
      const { buy, get } = given.discount;
      const units = given.lines
        .filter((_, index) => isEligible(index))
        .flatMap(({ quantity, unitAmount }) => Array.from({ length: quantity }, () => unitAmount))
        .toSorted((a, b) => a - b);
      const free = units.slice(0, Math.floor(units.length / (buy + get)) * get);
      assert.equal(price.discountAmount, sumOf(free), 'the cheapest units of the cart are free');
    }
    if (given.discount?.kind !== 'buy-x-get-y') {
      for (const [index, off] of price.lineDiscounts.entries()) {
        const share = isEligible(index) ? (price.discountAmount * (price.lineAmounts[index] ?? 0)) / sum : 0;
        assert.ok(sum === 0 || Math.abs(off - share) < 1.001, 'each line has its share, to a minor unit');
      }
    }
  });

/** Against fractions that are never rounded. */
const taxIsNearest = (by: MoneyRules) =>
  fc.property(cart, given => {
    const price = pricedBy(by, given);
    const rule = taxRuleOf(given.destination);
    const rate = BigInt(rule.rateMillipercent);
    const denominator = 100_000n + (rule.included ? rate : 0n);
    const step = BigInt(rule.included ? 1 : roundingStepOf(given.currency));
    const taxable = price.subtotalAmount - price.discountAmount + price.shippingAmount;
    const error = BigInt(price.taxAmount) * denominator - BigInt(taxable) * rate;
    const distance = 2n * (error < 0n ? -error : error);
    assert.ok(distance <= denominator * step, 'tax is the nearest amount that can be paid');
    assert.equal(BigInt(price.taxAmount) % step, 0n, 'tax on top is in steps that a card can pay');
  });

const taxAgrees = (by: MoneyRules) =>
  fc.property(fc.nat(limits.amountMinorMax), fc.nat(30_000), currency, (amount, rateMillipercent, code) => {
    const inside = by.taxOf({ amount, currency: code, rule: { rateMillipercent, included: true } });
    const net = { amount: amount - inside, currency: code };
    const onTop = by.taxOf({ ...net, rule: { rateMillipercent, included: false } });
    const unit = roundingStepOf(code);
    assert.ok(Math.abs(inside - onTop) <= unit, 'tax inside and on top agree to a minor unit');
  });

const orderDoesNotMatter = (by: MoneyRules) =>
  fc.property(cart, fc.infiniteStream(fc.nat()), (given, random) => {
    const keyed = given.lines.map(line => ({ line, key: random.next().value }));
    const lines = keyed.toSorted((a, b) => a.key - b.key).map(({ line }) => line);
    const { lineAmounts: _given, lineDiscounts, ...price } = pricedBy(by, given);
    const { lineAmounts: _shuffled, lineDiscounts: others, ...shuffled } = pricedBy(by, { ...given, lines });
    assert.deepEqual(shuffled, price, 'the order of the lines does not matter');
    const offBySku = (cartLines: Cart['lines'], off: readonly number[]) =>
      new Map(cartLines.map(({ sku }, index) => [sku, off[index]]));
    const [one, other] = [offBySku(given.lines, lineDiscounts), offBySku(lines, others)];
    for (const [sku, off] of one) assert.equal(other.get(sku), off, 'nor does it for the discount of a line');
  });

const exponentsAreKept = (by: MoneyRules) =>
  fc.property(fc.nat(limits.amountMinorMax), currency, (amount, code) => {
    const written = by.decimalFromMinor(amount, code);
    assert.equal(
      written.split('.')[1]?.length ?? 0,
      decimals.get(code),
      'it has the decimals of its currency',
    );
    assert.equal(by.minorFromDecimal(written, code), amount, 'it is read as it was written');
  });

const buyerId = newBuyerId();
const dropId = dropIdSchema.parse('drop-1');
const sealer = createSealer({ kind: 'quote', secrets: ['a secret of a test only'], schema: quoteSchema });

/** The whole way, to the sealed text that a hold freezes. */
const sameQuote = (by: MoneyRules) =>
  fc.asyncProperty(cart, async given => {
    const lines = given.lines.map(({ quantity, unitAmount, sku }) => ({
      quantity,
      unitAmount,
      sku: skuSchema.parse(sku),
    }));
    const items = new Map(lines.map(line => [line.sku, { title: 'A thing', amount: line.unitAmount }]));
    const pricing = createPricing({
      dropPrices: async () => ({ currency: given.currency, items, perBuyerMax: 1 }),
      sealer,
      clock: { now: () => 1_800_000_000_000 },
      pool: { price: async asked => by.priceCart(asked) },
      judgeCoupon: async code => ({
        kind: 'good',
        code,
        discount: given.discount ?? { kind: 'percent', basisPoints: 1 },
        eligible: given.lines.map(line => line.eligible !== false),
      }),
      ...(given.shippingTable && { shippingTable: given.shippingTable }),
    });
    const { destination } = given;
    const request = { buyerId, dropId, lines, coupon: 'a', destination, currency: given.currency };
    const first = await pricing.quote(request);
    assert.equal(first.kind, 'quoted', 'every cart of this size has a quote');
    assert.deepEqual(
      await pricing.quote(structuredClone(request)),
      first,
      'the same cart has the same quote',
    );
    const opened = sealer.open(first.sealed);
    assert.deepEqual(opened, first.value, 'what is sealed is what was said');
  });

/** Our price of a cart, with something wrong in it. */
function wrongly(change: (price: Priced, given: Cart) => Partial<Priced>): MoneyRules {
  return {
    ...rules,
    priceCart(given) {
      const price = priceCart(given);
      return price.kind === 'priced' ? { ...price, ...change(price, given) } : price;
    },
  };
}

let asked = 0;
const properties: {
  holds: string;
  property: (by: MoneyRules) => fc.IProperty<unknown> | fc.IAsyncProperty<unknown>;
  controls: { where: string; planted: MoneyRules; failure: RegExp }[];
}[] = [
  {
    holds: 'adds its lines up to the subtotal, and its parts up to the total',
    property: given => addsUp(given),
    controls: [
      {
        where: 'quantities are forgotten in the subtotal',
        planted: wrongly((_, { lines }) => ({ subtotalAmount: sumOf(lines.map(line => line.unitAmount)) })),
        failure: /add up to the subtotal/,
      },
      {
        where: 'tax that prices contain is added once more',
        planted: wrongly(price => ({
          totalAmount: price.subtotalAmount - price.discountAmount + price.shippingAmount + price.taxAmount,
        })),
        failure: /add up to the total/,
      },
    ],
  },
  {
    holds: 'is whole and never below zero, and discounts at most what there is',
    property: given => staysAboveZero(given),
    controls: [
      {
        where: 'a fixed discount is not cut to the cart',
        planted: wrongly(({ subtotalAmount }) => ({ discountAmount: Math.max(subtotalAmount, 1_000) + 1 })),
        failure: /at most what it discounts/,
      },
      {
        where: 'the total is reduced below zero',
        planted: wrongly(price => ({ totalAmount: price.totalAmount - 1_000 })),
        failure: /whole and not negative/,
      },
      {
        where: 'tax is a float',
        planted: wrongly(price => ({ taxAmount: price.subtotalAmount * 0.19 })),
        failure: /whole and not negative/,
      },
    ],
  },
  {
    holds: 'has discounts by line that add up, fall on what is eligible, and are shared fairly',
    property: given => discountsAreShared(given),
    controls: [
      {
        where: 'a percentage is rounded line by line',
        planted: wrongly(({ lineAmounts }, { discount: off, lines }) => {
          if (off?.kind !== 'percent') return {};
          const lineDiscounts = lineAmounts.map((amount, index) =>
            lines[index]?.eligible === false ? 0 : Math.round((amount * off.basisPoints) / 10_000),
          );
          return { lineDiscounts, discountAmount: sumOf(lineDiscounts) };
        }),
        failure: /nearest amount/,
      },
      {
        where: 'the remainder of a shared discount is dropped',
        planted: wrongly(({ lineAmounts, discountAmount }, { discount: off }) =>
          off?.kind === 'fixed'
            ? {
                lineDiscounts: lineAmounts.map(amount =>
                  Math.floor((discountAmount * amount) / Math.max(1, sumOf(lineAmounts))),
                ),
              }
            : {},
        ),
        failure: /lines add up/,
      },
      {
        where: 'the dearest units are free',
        planted: wrongly((_, { discount: off, lines }) => {
          if (off?.kind !== 'buy-x-get-y') return {};
          let left = Math.floor(sumOf(lines.map(line => line.quantity)) / (off.buy + off.get)) * off.get;
          const lineDiscounts = lines.map(({ quantity, unitAmount }) => {
            const free = Math.min(left, quantity);
            left -= free;
            return free * unitAmount;
          });
          return { lineDiscounts, discountAmount: sumOf(lineDiscounts) };
        }),
        failure: /cheapest units|not eligible/,
      },
      {
        where: 'all of it falls on the first line',
        planted: wrongly(({ lineDiscounts, discountAmount }) => ({
          lineDiscounts: lineDiscounts.map((_, index) => (index === 0 ? discountAmount : 0)),
        })),
        failure: /its share|not eligible/,
      },
    ],
  },
  {
    holds: 'has the tax that is nearest to the exact one',
    property: given => taxIsNearest(given),
    controls: [
      {
        where: 'tax is rounded line by line',
        planted: wrongly(({ lineAmounts, lineDiscounts, shippingAmount }, given) => {
          const rule = taxRuleOf(given.destination);
          const left = lineAmounts.map((amount, index) => amount - (lineDiscounts[index] ?? 0));
          const amounts = [...left, shippingAmount];
          return {
            taxAmount: sumOf(amounts.map(amount => taxOf({ amount, currency: given.currency, rule }))),
          };
        }),
        failure: /nearest amount/,
      },
      {
        where: 'shipping is not taxed',
        planted: wrongly(({ subtotalAmount, discountAmount }, given) => ({
          taxAmount: taxOf({
            amount: subtotalAmount - discountAmount,
            currency: given.currency,
            rule: taxRuleOf(given.destination),
          }),
        })),
        failure: /nearest amount/,
      },
      {
        where: 'tax in three decimals is not in steps of ten',
        planted: wrongly(({ subtotalAmount, discountAmount, shippingAmount, taxIncluded }, given) => {
          const numerator =
            (subtotalAmount - discountAmount + shippingAmount) *
            taxRuleOf(given.destination).rateMillipercent;
          return taxIncluded ? {} : { taxAmount: divideHalfUp({ numerator, denominator: 100_000 }) };
        }),
        failure: /in steps that a card can pay/,
      },
    ],
  },
  {
    holds: 'has the same tax inside and on top, to a minor unit',
    property: given => taxAgrees(given),
    controls: [
      {
        where: 'tax inside is taken as a percentage of the whole price',
        planted: {
          ...rules,
          taxOf: ({ amount, rule }) =>
            divideHalfUp({ numerator: amount * rule.rateMillipercent, denominator: 100_000 }),
        },
        failure: /agree to a minor unit/,
      },
    ],
  },
  {
    holds: 'does not depend on the order of its lines',
    property: given => orderDoesNotMatter(given),
    controls: [
      {
        where: 'a percentage comes off the sum so far, line by line',
        planted: wrongly(({ lineAmounts }) => ({
          subtotalAmount: lineAmounts.reduce((sum, amount) => Math.round((sum + amount) * 0.9), 0),
        })),
        failure: /order of the lines/,
      },
    ],
  },
  {
    holds: 'is written and read with the decimals of its currency',
    property: given => exponentsAreKept(given),
    controls: [
      {
        where: 'every currency has cents',
        planted: {
          ...rules,
          decimalFromMinor: amount => decimalFromMinor(amount, 'USD'),
          minorFromDecimal: text => minorFromDecimal(text, 'USD'),
        },
        failure: /decimals of its currency/,
      },
      {
        where: 'an amount goes through a float',
        planted: {
          ...rules,
          minorFromDecimal: (text, code) => Number(text) * 10 ** (decimals.get(code) ?? 2),
        },
        failure: /read as it was written/,
      },
    ],
  },
  {
    holds: 'is the same quote for the same cart, and what is sealed is what was said',
    property: given => sameQuote(given),
    controls: [
      {
        where: 'a price depends on what was asked before',
        planted: wrongly(price => ({ totalAmount: price.totalAmount + ((asked += 1) % 2) })),
        failure: /has the same quote/,
      },
    ],
  },
];

describe('the price of any cart', () => {
  it.each(properties)('$holds', async ({ property }) => {
    const outcome = await fc.check(property(rules), { numRuns: 300 });
    expect(outcome).toMatchObject({ failed: false, errorInstance: null });
  });
});

describe('the property of money fails where', () => {
  const controls = properties.flatMap(({ property, controls: each }) =>
    each.map(control => ({ ...control, property })),
  );
  it.each(controls)('$where', async ({ property, planted, failure }) => {
    const outcome = await fc.check(property(planted), { numRuns: 2_000, endOnFailure: true });
    expect(outcome.failed).toBe(true);
    expect(String(outcome.errorInstance)).toMatch(failure);
  });
});
