// What must hold of every price: properties over random carts, of whatever rules they are given, so that a test can ask
// them of ours and of wrong ones.
import { strict as assert } from 'node:assert';
import fc from 'fast-check';
import { dropIdSchema, newBuyerId, skuSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { type Cart, type CartPrice, priceCart } from '../../server/pricing/cart.rules.ts';
import { decimalFromMinor, minorFromDecimal, roundingStepOf } from '../../server/pricing/currencies.rules.ts';
import { convertAmount, type ExchangeRate } from '../../server/pricing/conversion.rules.ts';
import type { Discount } from '../../server/pricing/discount.rules.ts';
import { createPricing } from '../../server/pricing/pricing.ts';
import { quoteSchema } from '../../server/pricing/quote.ts';
import { taxOf, taxRuleOf } from '../../server/pricing/tax.rules.ts';
import { taxClasses } from '../../server/pricing/tax-rates.rules.ts';
import { type GroupTerms, type PriceTier, unitPriceOf } from '../../server/pricing/unit-price.rules.ts';
import { variantPriceIn } from '../../server/pricing/variant-price.rules.ts';

export const rules = { priceCart, taxOf, decimalFromMinor, minorFromDecimal, unitPriceOf, convertAmount };
export type MoneyRules = typeof rules;

/** Written down here once more, from ISO 4217, so that the code's own table is not asked about itself. */
const withDecimals = (count: number, codes: string) =>
  codes.split(' ').map((code): [string, number] => [code, count]);
export const decimals = new Map([
  ...withDecimals(0, 'JPY KRW ISK CLP VND UGX XAF'),
  ...withDecimals(2, 'USD EUR GBP CHF CAD HUF'),
  ...withDecimals(3, 'KWD BHD JOD TND OMR'),
]);
export const currency = fc.constantFrom(...decimals.keys());
const country = fc.constantFrom('DE', 'FI', 'HU', 'GB', 'CH', 'NO', 'JP', 'KR', 'OM', 'CA', 'US', 'BR');

export const discount: fc.Arbitrary<Discount> = fc.oneof(
  fc.record({ kind: fc.constant('percent' as const), basisPoints: fc.integer({ min: 1, max: 10_000 }) }),
  fc.record({ kind: fc.constant('fixed' as const), amount: fc.integer({ min: 1, max: 5_000_000 }) }),
  fc.record({
    kind: fc.constant('buy-x-get-y' as const),
    buy: fc.integer({ min: 1, max: 9 }),
    get: fc.integer({ min: 1, max: 9 }),
  }),
);

export const cart: fc.Arbitrary<Cart> = fc.record({
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

export type Priced = Extract<CartPrice, { kind: 'priced' }>;
export function pricedBy(by: MoneyRules, given: Cart): Priced {
  const price = by.priceCart(given);
  assert.equal(price.kind, 'priced', 'every cart of this size has a price');
  return price;
}

export const sumOf = (amounts: readonly number[]) => amounts.reduce((sum, amount) => sum + amount, 0);

export const addsUp = (by: MoneyRules) =>
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

export const staysAboveZero = (by: MoneyRules) =>
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
export const discountsAreShared = (by: MoneyRules) =>
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
export const taxIsNearest = (by: MoneyRules) =>
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
export const unitPriceIsLeast = (by: MoneyRules) =>
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

export const rate: fc.Arbitrary<ExchangeRate> = fc.record({
  from: currency,
  to: currency,
  rate: fc
    .tuple(fc.nat(20_000), fc.nat(999_999_999), fc.integer({ min: 1, max: 9 }))
    .map(([whole, fraction, digits]) => `${whole}.${String(fraction).padStart(9, '0').slice(0, digits)}`)
    .filter(text => Number(text) > 0),
  atMs: fc.constant(1_800_000_000_000),
});

export const conversionIsNearest = (by: MoneyRules) =>
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

export const taxAgrees = (by: MoneyRules) =>
  fc.property(fc.nat(limits.amountMinorMax), fc.nat(30_000), currency, (amount, rateMillipercent, code) => {
    const inside = by.taxOf({ amount, currency: code, rule: { rateMillipercent, included: true } });
    const net = { amount: amount - inside, currency: code };
    const onTop = by.taxOf({ ...net, rule: { rateMillipercent, included: false } });
    const unit = roundingStepOf(code);
    assert.ok(Math.abs(inside - onTop) <= unit, 'tax inside and on top agree to a minor unit');
  });

export const orderDoesNotMatter = (by: MoneyRules) =>
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

export const exponentsAreKept = (by: MoneyRules) =>
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
export const sameQuote = (by: MoneyRules) =>
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
      dropPrices: async () => ({ currency: given.currency, items, perBuyerMax: 1, opensAtMs: 0 }),
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
