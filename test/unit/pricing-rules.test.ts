import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { limits } from '../../server/limits.ts';
import { type Cart, priceCart } from '../../server/pricing/cart.rules.ts';
import {
  divideHalfUp,
  exponentOf,
  minorFromDecimal,
  roundingStepOf,
} from '../../server/pricing/currencies.rules.ts';
import { shippingCostOf } from '../../server/pricing/shipping.rules.ts';
import { taxOf, taxRuleOf } from '../../server/pricing/tax.rules.ts';

function priced(given: Cart) {
  const price = priceCart(given);
  if (price.kind !== 'priced') throw new Error(`expected a price, got ${price.kind}`);
  return price;
}

describe('the price of a cart', () => {
  test('is refused where it is more than one payment can carry', () => {
    const line = { sku: 'gold', quantity: 2, unitAmount: limits.amountMinorMax };
    expect(priceCart({ lines: [line], currency: 'USD', destination: { country: 'US' } })).toEqual({
      kind: 'too-much',
    });
  });

  test('is refused where tax on top makes it more than one payment can carry', () => {
    const line = { sku: 'gold', quantity: 1, unitAmount: limits.amountMinorMax };
    const cartTo = (to: string): Cart => ({ lines: [line], currency: 'CAD', destination: { country: to } });
    expect(priceCart(cartTo('CA'))).toEqual({ kind: 'too-much' });
    expect(priced(cartTo('US')).totalAmount).toBe(limits.amountMinorMax);
  });

  test('is what a receipt would say for known carts', () => {
    const lines = [
      { sku: 'a', quantity: 2, unitAmount: 2999 },
      { sku: 'b', quantity: 1, unitAmount: 1001 },
    ];
    const to = (code: string, state?: string) =>
      priced({ lines, currency: 'EUR', destination: { country: code, state } });
    expect(to('DE')).toMatchObject({
      subtotalAmount: 6999,
      taxAmount: 1117,
      taxIncluded: true,
      totalAmount: 6999,
    });
    expect(to('FI')).toMatchObject({ taxAmount: 1422, totalAmount: 6999 });
    expect(to('CA', 'ON')).toMatchObject({ taxAmount: 910, taxIncluded: false, totalAmount: 7909 });
    expect(to('CA', 'on ')).toMatchObject({ totalAmount: 7909 });
    expect(to('CA')).toMatchObject({ taxAmount: 350, totalAmount: 7349 });
    expect(to('US', 'CA')).toMatchObject({ taxAmount: 0, taxIncluded: false, totalAmount: 6999 });
  });
});

describe('tax', () => {
  test('on top keeps a three-decimal total payable by card, in steps of ten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 9_999_999 }), tens => {
        const rule = { rateMillipercent: 10_000, included: false };
        expect(taxOf({ amount: tens * 10, currency: 'KWD', rule }) % roundingStepOf('KWD')).toBe(0);
      }),
    );
  });

  test('is known for all 27 states of the EU, and contained in their prices', () => {
    const eu = 'AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE'.split(' ');
    expect(eu).toHaveLength(27);
    for (const state of eu) {
      const rule = taxRuleOf({ country: state });
      expect(rule.included).toBe(true);
      // Directive 2006/112/EC, article 97: a standard rate is at least 15 %; the highest in force is Hungary's.
      expect(rule.rateMillipercent).toBeGreaterThanOrEqual(15_000);
      expect(rule.rateMillipercent).toBeLessThanOrEqual(27_000);
    }
  });

  test('does not fall for the names that every object inherits', () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      expect(taxRuleOf({ country: name })).toEqual({ rateMillipercent: 0, included: false });
      expect(taxRuleOf({ country: 'CA', state: name })).toEqual({ rateMillipercent: 5_000, included: false });
    }
  });
});

describe('currencies', () => {
  test('keep their exponents', () => {
    expect(['JPY', 'USD', 'KWD', 'ISK', 'XXX'].map(exponentOf)).toEqual([0, 2, 3, 0, 2]);
  });

  test.each([
    ['29.99', 'USD', 2999],
    ['29.9', 'USD', 2990],
    ['29.990', 'USD', 2999],
    ['0.07', 'USD', 7],
    ['1500', 'JPY', 1500],
    ['1500.00', 'JPY', 1500],
    ['1.234', 'KWD', 1234],
    ['29.999', 'USD', null],
    ['15.5', 'JPY', null],
    ['-1', 'USD', null],
    ['1e3', 'USD', null],
    ['1,50', 'USD', null],
    ['', 'USD', null],
    [' 1', 'USD', null],
  ])('%s %s is %s minor units', (text, code, expected) => {
    expect(minorFromDecimal(text, code)).toBe(expected);
  });

  test('round halves up, and only halves', () => {
    expect(divideHalfUp({ numerator: 5, denominator: 10 })).toBe(1);
    expect(divideHalfUp({ numerator: 4, denominator: 10 })).toBe(0);
    expect(divideHalfUp({ numerator: 25, denominator: 1, step: 10 })).toBe(30);
    expect(() => divideHalfUp({ numerator: -1, denominator: 10 })).toThrow(RangeError);
    expect(() => divideHalfUp({ numerator: 0.5, denominator: 10 })).toThrow(RangeError);
  });
});

function shippingTo(country: string, method?: string) {
  return shippingCostOf({ destination: { country }, method });
}

describe('shipping', () => {
  test('goes to countries that exist and have a post, by a method that exists', () => {
    expect(shippingTo('DE')).toEqual({ kind: 'shippable', method: 'standard', amount: 0 });
    expect(shippingTo('ZZ')).toEqual({ kind: 'not-shippable', because: 'country' });
    expect(shippingTo('AQ')).toEqual({ kind: 'not-shippable', because: 'country' });
    expect(shippingTo('DE', 'teleport')).toEqual({ kind: 'not-shippable', because: 'method' });
    expect(shippingTo('DE', 'constructor')).toEqual({ kind: 'not-shippable', because: 'method' });
  });

  test('knows every country of ISO 3166-1', () => {
    const codes = Array.from({ length: 26 * 26 }, (_, index) =>
      String.fromCodePoint(65 + Math.floor(index / 26), 65 + (index % 26)),
    );
    const table = { methods: { standard: { amount: 0 } }, defaultMethod: 'standard', excludedCountries: [] };
    const known = codes.filter(
      code =>
        shippingCostOf({ destination: { country: code }, method: undefined, table }).kind === 'shippable',
    );
    expect(known).toHaveLength(249);
  });
});
