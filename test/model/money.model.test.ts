// Money, over random carts: what must hold of every price. Each property has a control: rules in which one thing is
// wrong, as a hurried change would have it, under which the same property must fail.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceCart } from '../../server/pricing/cart.rules.ts';
import {
  decimalFromMinor,
  divideHalfUp,
  minorFromDecimal,
  roundingStepOf,
} from '../../server/pricing/currencies.rules.ts';
import { convertAmount } from '../../server/pricing/conversion.rules.ts';
import { taxOf, taxRuleOf } from '../../server/pricing/tax.rules.ts';
import { unitPriceOf } from '../../server/pricing/unit-price.rules.ts';
import { goodsAt, retaxed, wrongly, wronglyTaxed } from '../support/money-faults.ts';
import {
  addsUp,
  conversionIsNearest,
  decimals,
  discountsAreShared,
  exponentsAreKept,
  type MoneyRules,
  orderDoesNotMatter,
  rules,
  sameQuote,
  staysAboveZero,
  sumOf,
  taxAgrees,
  taxIsNearest,
  unitPriceIsLeast,
} from '../support/money-properties.ts';

/** Which of its claims fails first depends on what was drawn. */
const unitPriceFailure =
  /says the group|comes off what everybody|each is given|taking more|order of the terms|gives nothing away|a group pays less/;

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
