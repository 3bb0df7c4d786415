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
import { convertAmount, type ExchangeRate } from '../../server/pricing/conversion.rules.ts';
import type { Discount } from '../../server/pricing/discount.rules.ts';
import { createPricing } from '../../server/pricing/pricing.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import { type TaxPart, taxOf, taxRuleOf } from '../../server/pricing/tax.rules.ts';
import { taxClasses } from '../../server/pricing/tax-rates.rules.ts';
import { type GroupTerms, type PriceTier, unitPriceOf } from '../../server/pricing/unit-price.rules.ts';
import { variantPriceIn } from '../../server/pricing/variant-price.rules.ts';

const rules = { priceCart, taxOf, decimalFromMinor, minorFromDecimal, unitPriceOf, convertAmount };
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
      taxClass: fc.constantFrom(...taxClasses),
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
    assert.equal(
      price.taxAmount,
      sumOf(price.taxes.map(part => part.taxAmount)),
      'the tax of the rates adds up to the tax',
    );
    assert.equal(
      parts,
      sumOf(price.taxes.map(part => part.taxableAmount)),
      'what is taxed adds up to what is asked',
    );
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

const distanceOf = (one: bigint, other: bigint) => (one > other ? one - other : other - one);

/** Against fractions that are never rounded: what is taxed at each rate, and with how much. */
const taxIsNearest = (by: MoneyRules) =>
  fc.property(cart, given => {
    const price = pricedBy(by, given);
    const { included } = taxRuleOf(given.destination);
    const goods = new Map<number, number>();
    for (const [index, line] of given.lines.entries()) {
      const { rateMillipercent } = taxRuleOf(given.destination, line.taxClass);
      const left = (price.lineAmounts[index] ?? 0) - (price.lineDiscounts[index] ?? 0);
      goods.set(rateMillipercent, (goods.get(rateMillipercent) ?? 0) + left);
    }
    const rates = [...goods.keys()].toSorted((a, b) => b - a);
    assert.deepEqual(
      price.taxes.map(part => part.rateMillipercent),
      rates,
      'each rate of the goods once, the highest first',
    );
    const sum = sumOf([...goods.values()]);
    for (const [index, { rateMillipercent, taxableAmount, taxAmount }] of price.taxes.entries()) {
      const amount = goods.get(rateMillipercent) ?? 0;
      const shipping = BigInt(taxableAmount - amount) * BigInt(Math.max(1, sum));
      const share = BigInt(price.shippingAmount) * BigInt(sum === 0 ? Number(index === 0) : amount);
      assert.ok(
        distanceOf(shipping, share) < BigInt(Math.max(1, sum)),
        'shipping follows the goods, to a minor unit',
      );
      const rate = BigInt(rateMillipercent);
      const denominator = 100_000n + (included ? rate : 0n);
      const step = BigInt(included ? 1 : roundingStepOf(given.currency));
      const distance = 2n * distanceOf(BigInt(taxAmount) * denominator, BigInt(taxableAmount) * rate);
      assert.ok(distance <= denominator * step, 'tax is the nearest amount that can be paid');
      assert.equal(BigInt(taxAmount) % step, 0n, 'tax on top is in steps that a card can pay');
    }
  });

const groupName = fc.constantFrom('members', 'press', 'staff');
const unitAsked = fc.record({
  amount: fc.oneof(fc.nat(40_000), fc.nat(30)),
  quantity: fc.integer({ min: 1, max: 60 }),
  // In no order, and dearer than the price, too: a drop's own price may have fallen below a tier.
  tiers: fc.array(fc.record({ from: fc.integer({ min: 2, max: 60 }), amount: fc.nat(40_000) }), {
    maxLength: 4,
  }),
  groups: fc.uniqueArray(
    fc.record({
      group: groupName,
      basisPoints: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
      amount: fc.option(fc.nat(40_000), { nil: undefined }),
    }),
    { maxLength: 3, selector: ({ group }) => group },
  ),
  step: fc.constantFrom(1, 10),
});

/** Against fractions, in the order that is written down: drop, tier, group. */
const unitPriceIsLeast = (by: MoneyRules) =>
  fc.property(unitAsked, given => {
    const { amount, quantity, tiers, groups, step } = given;
    const price = by.unitPriceOf(given);
    assert.ok(Number.isSafeInteger(price.amount) && price.amount >= 0, 'a price is whole and not negative');
    const tiered = Math.min(amount, ...tiers.filter(({ from }) => from <= quantity).map(tier => tier.amount));
    const own = groups.flatMap(terms => terms.amount ?? []);
    const best = Math.max(0, ...groups.map(({ basisPoints = 0 }) => basisPoints));
    const reduced = BigInt(tiered) * BigInt(10_000 - best);
    const isOwn = own.some(each => each === price.amount);
    assert.ok(isOwn || price.amount > 0 || tiered === 0 || best === 10_000, 'rounding gives nothing away');
    if (!isOwn) {
      const distance = 2n * distanceOf(BigInt(price.amount) * 10_000n, reduced);
      const isNearest = distance <= 10_000n * BigInt(step);
      const isLeast = tiered > 0 && best < 10_000 && price.amount === Math.min(step, tiered);
      assert.ok(
        isNearest || isLeast || price.amount === tiered,
        'a percentage comes off what everybody would pay',
      );
      if (best > 0 && tiered > 2 * step * 10_000) assert.ok(price.amount < tiered, 'a group pays less');
    }
    assert.ok(
      price.amount <= Math.min(tiered, ...own),
      'no reduction makes a price dearer, and each is given',
    );
    assert.equal(
      price.group === undefined,
      price.amount === tiered,
      'a price says the group that it comes from',
    );
    const more = by.unitPriceOf({ ...given, quantity: quantity + 1 });
    assert.ok(more.amount <= price.amount, 'nobody pays more for each by taking more');
    const shuffled = { ...given, tiers: tiers.toReversed(), groups: groups.toReversed() };
    assert.equal(by.unitPriceOf(shuffled).amount, price.amount, 'the order of the terms does not matter');
  });

const rate: fc.Arbitrary<ExchangeRate> = fc.record({
  from: currency,
  to: currency,
  rate: fc
    .tuple(fc.nat(20_000), fc.nat(999_999_999), fc.integer({ min: 1, max: 9 }))
    .map(([whole, fraction, digits]) => `${whole}.${String(fraction).padStart(9, '0').slice(0, digits)}`)
    .filter(text => Number(text) > 0),
  atMs: fc.constant(1_800_000_000_000),
});

const conversionIsNearest = (by: MoneyRules) =>
  fc.property(fc.oneof(fc.nat(limits.amountMinorMax), fc.nat(50)), rate, (amount, used) => {
    const converted = by.convertAmount(amount, used);
    assert.ok(converted !== null && Number.isSafeInteger(converted), 'a price becomes a whole amount');
    const [whole = '', fraction = ''] = used.rate.split('.');
    const digits = (code: string) => BigInt(decimals.get(code) ?? 0);
    const denominator = 10n ** (digits(used.from) + BigInt(fraction.length));
    const exact = BigInt(amount) * BigInt(whole + fraction) * 10n ** digits(used.to);
    const step = roundingStepOf(used.to);
    assert.equal(converted % step, 0, 'it is in steps that a card can pay');
    const isNearest = 2n * distanceOf(BigInt(converted) * denominator, exact) <= denominator * BigInt(step);
    assert.ok(
      isNearest || (amount > 0 && converted === step),
      'it is the nearest amount of the other currency',
    );
    assert.ok(amount === 0 || converted > 0, 'no price becomes nothing');
    const next = by.convertAmount(amount + 1, used);
    assert.ok(next !== null && next >= converted, 'what costs more costs no less in another currency');
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

const saleTerms = fc.record({
  tiers: fc.array(fc.record({ from: fc.integer({ min: 2, max: 60 }), amount: fc.nat(40_000) }), {
    maxLength: 3,
  }),
  groups: fc.array(fc.record({ group: groupName, basisPoints: fc.integer({ min: 1, max: 9_000 }) }), {
    maxLength: 2,
  }),
  rate,
});

/** As a drop has it: every other item at a price that was converted. */
function listedItem(
  given: Cart,
  item: { index: number; unitAmount: number; tiers: PriceTier[]; groups: GroupTerms[]; rate: ExchangeRate },
) {
  const { index, unitAmount, tiers } = item;
  const used = { ...item.rate, to: given.currency };
  const price = { amount: unitAmount, currency: used.from };
  const converted =
    index % 2 === 0 ? variantPriceIn({ price }, given.currency, new Map([[used.from, used]])) : null;
  const isPayable = converted !== null && converted.amount <= 40_000;
  const listed = isPayable ? { ...converted, tiers } : { amount: unitAmount, tiers };
  return { title: 'A thing', taxClass: given.lines[index]?.taxClass, ...listed };
}

/** The whole way, to the sealed text that a hold freezes. */
const sameQuote = (by: MoneyRules) =>
  fc.asyncProperty(cart, saleTerms, async (given, terms) => {
    const lines = given.lines.map(({ quantity, unitAmount, sku }) => ({
      quantity,
      unitAmount,
      sku: skuSchema.parse(sku),
    }));
    const items = new Map(
      lines.map((line, index) => [line.sku, listedItem(given, { ...line, index, ...terms })]),
    );
    const pricing = createPricing({
      dropPrices: async () => ({ currency: given.currency, items, perBuyerMax: 1 }),
      groupTerms: async (_buyer, { skus }) => new Map(skus.map(each => [each, terms.groups])),
      taxRates: { DE: { food: 5.5 }, 'CA-QC': { standard: 14.975 } },
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
    for (const line of first.value.lines)
      assert.ok((line.listAmount ?? line.unitAmount) >= line.unitAmount, 'what is crossed out is dearer');
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

/** With other taxes, which add up all the same. */
function wronglyTaxed(
  change: (price: Priced, given: Cart, parts: readonly TaxPart[]) => TaxPart[],
): MoneyRules {
  return wrongly((price, given) => {
    const taxes = change(price, given, price.taxes);
    return { taxes, taxAmount: sumOf(taxes.map(part => part.taxAmount)) };
  });
}

/** What the goods of one rate cost after the discount. */
function goodsAt(given: Cart, part: TaxPart): number {
  const price = pricedBy(rules, given);
  return sumOf(
    given.lines.map((line, index) => {
      const { rateMillipercent } = taxRuleOf(given.destination, line.taxClass);
      const left = (price.lineAmounts[index] ?? 0) - (price.lineDiscounts[index] ?? 0);
      return rateMillipercent === part.rateMillipercent ? left : 0;
    }),
  );
}

function retaxed(given: Cart, parts: readonly TaxPart[]): TaxPart[] {
  const { included } = taxRuleOf(given.destination);
  return parts.map(part => {
    const rule = { rateMillipercent: part.rateMillipercent, included };
    return { ...part, taxAmount: taxOf({ amount: part.taxableAmount, currency: given.currency, rule }) };
  });
}

/** Which of its claims fails first depends on what was drawn. */
const unitPriceFailure =
  /says the group|comes off what everybody|each is given|taking more|order of the terms|gives nothing away/;

let askedBefore = 0;
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
      {
        where: 'the tax of one rate is left out of the sum',
        planted: wrongly(({ taxes }) => ({ taxes: taxes.slice(1) })),
        failure: /adds up to/,
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
    holds: 'is taxed by class, each rate exact, shipping with the goods',
    property: given => taxIsNearest(given),
    controls: [
      {
        where: 'tax is rounded line by line',
        planted: wronglyTaxed(({ lineAmounts, lineDiscounts }, given, parts) =>
          parts.map(part => {
            const { included } = taxRuleOf(given.destination);
            const rule = { rateMillipercent: part.rateMillipercent, included };
            const amounts = lineAmounts
              .map((amount, index) => amount - (lineDiscounts[index] ?? 0))
              .filter((_, index) => {
                const { rateMillipercent } = taxRuleOf(given.destination, given.lines[index]?.taxClass);
                return rateMillipercent === part.rateMillipercent;
              });
            const rest = part.taxableAmount - sumOf(amounts);
            const taxes = [...amounts, rest].map(amount => taxOf({ amount, currency: given.currency, rule }));
            return { ...part, taxAmount: sumOf(taxes) };
          }),
        ),
        failure: /nearest amount/,
      },
      {
        where: 'shipping is not taxed',
        planted: wronglyTaxed(({ shippingAmount }, _, parts) =>
          parts.map((part, index) =>
            index === 0 ? { ...part, taxableAmount: part.taxableAmount - shippingAmount } : part,
          ),
        ),
        failure: /shipping follows|nearest amount/,
      },
      {
        where: 'all of the shipping is taxed at the lowest rate',
        planted: wronglyTaxed(({ shippingAmount }, given, parts) =>
          retaxed(
            given,
            parts.map((part, index) => ({
              ...part,
              taxableAmount: goodsAt(given, part) + (index === parts.length - 1 ? shippingAmount : 0),
            })),
          ),
        ),
        failure: /shipping follows/,
      },
      {
        where: 'every class is taxed at the standard rate',
        planted: {
          ...rules,
          priceCart: given =>
            priceCart({
              ...given,
              lines: given.lines.map(({ taxClass: _class, ...line }) => line),
            }),
        },
        failure: /each rate of the goods/,
      },
      {
        where: 'a unit of the discount falls on a rate whose goods it is not for',
        planted: wronglyTaxed(({ discountAmount }, given, parts) =>
          retaxed(
            given,
            parts.map((part, index) => {
              const isMoved =
                discountAmount > 0 && parts.length > 1 && (parts.at(-1)?.taxableAmount ?? 0) > 0;
              const by = !isMoved ? 0 : index === 0 ? 1 : index === parts.length - 1 ? -1 : 0;
              return { ...part, taxableAmount: part.taxableAmount + by };
            }),
          ),
        ),
        failure: /shipping follows/,
      },
      {
        where: 'tax in three decimals is not in steps of ten',
        planted: wronglyTaxed((price, _, parts) =>
          price.taxIncluded
            ? [...parts]
            : parts.map(part => ({
                ...part,
                taxAmount: divideHalfUp({
                  numerator: part.taxableAmount * part.rateMillipercent,
                  denominator: 100_000,
                }),
              })),
        ),
        failure: /in steps that a card can pay/,
      },
    ],
  },
  {
    holds: 'has for each unit the least of drop, tier and group, in that order',
    property: given => unitPriceIsLeast(given),
    controls: [
      {
        where: 'a tier begins one piece early',
        planted: {
          ...rules,
          unitPriceOf: line => unitPriceOf({ ...line, quantity: line.quantity + 1 }),
        },
        failure: unitPriceFailure,
      },
      {
        where: 'the last tier counts, whatever it costs',
        planted: {
          ...rules,
          unitPriceOf(line) {
            const tier = line.tiers?.findLast(({ from }) => from <= line.quantity);
            return unitPriceOf({ ...line, amount: tier?.amount ?? line.amount, tiers: [] });
          },
        },
        failure: unitPriceFailure,
      },
      {
        where: 'a group has its percentage off the price before the tier',
        planted: {
          ...rules,
          unitPriceOf(line) {
            const grouped = unitPriceOf({ ...line, tiers: [] });
            const tiered = unitPriceOf({ ...line, groups: [] });
            return grouped.amount < tiered.amount ? grouped : tiered;
          },
        },
        failure: unitPriceFailure,
      },
      {
        where: 'two groups come off each other',
        planted: {
          ...rules,
          unitPriceOf: line =>
            (line.groups ?? []).reduce(
              (price, terms) => {
                const { amount, group } = unitPriceOf({ ...line, ...price, tiers: [], groups: [terms] });
                return group === undefined ? price : { amount, group };
              },
              unitPriceOf({ ...line, groups: [] }),
            ),
        },
        failure: unitPriceFailure,
      },
      {
        where: 'rounding makes the cheapest things free',
        planted: {
          ...rules,
          unitPriceOf(line) {
            const price = unitPriceOf(line);
            return price.group !== undefined && price.amount <= line.step ? { ...price, amount: 0 } : price;
          },
        },
        failure: unitPriceFailure,
      },
    ],
  },
  {
    holds: 'is the nearest amount in another currency, in steps that can be paid',
    property: given => conversionIsNearest(given),
    controls: [
      {
        where: 'a rate is taken for one of minor units',
        planted: {
          ...rules,
          convertAmount: (amount, used) => convertAmount(amount, { ...used, from: 'EUR', to: 'EUR' }),
        },
        failure: /nearest amount|steps that a card/,
      },
      {
        where: 'a rate is rounded to four decimals',
        planted: {
          ...rules,
          convertAmount: (amount, used) =>
            convertAmount(amount, { ...used, rate: Math.max(Number(used.rate), 0.0001).toFixed(4) }),
        },
        failure: /nearest amount/,
      },
      {
        where: 'a converted amount is rounded down',
        planted: {
          ...rules,
          convertAmount(amount, used) {
            const step = roundingStepOf(used.to);
            const rounded = convertAmount(amount, used);
            const exact =
              (amount / 10 ** (decimals.get(used.from) ?? 0)) *
              Number(used.rate) *
              10 ** (decimals.get(used.to) ?? 0);
            return rounded === null ? null : Math.min(rounded, Math.floor(exact / step) * step);
          },
        },
        failure: /nearest amount|becomes nothing/,
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
        planted: wrongly(price => ({ totalAmount: price.totalAmount + ((askedBefore += 1) % 2) })),
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
