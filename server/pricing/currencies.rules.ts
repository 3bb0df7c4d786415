// How currencies count: the exponent of each (ISO 4217), and exact ways between decimal text and minor units.
// Nothing here touches a float: 29.99 is read as digits, because 29.99 * 100 is 2998.9999999999995.

/**
 * The exponents that are not 2, from ISO 4217's list one (maintained by SIX; as of 2026-01-01). A currency that is
 * not named here has two decimals, which is true of every other one in circulation.
 */
const exponents: ReadonlyMap<string, number> = new Map([
  ...[
    'BIF',
    'CLP',
    'DJF',
    'GNF',
    'ISK',
    'JPY',
    'KMF',
    'KRW',
    'PYG',
    'RWF',
    'UGX',
    'VND',
    'VUV',
    'XAF',
    'XOF',
    'XPF',
  ].map((code): [string, number] => [code, 0]),
  ...['BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND'].map((code): [string, number] => [code, 3]),
]);

/** Decimals of the currency: JPY 0, USD 2, KWD 3. `currency` is an upper-case ISO 4217 code. */
export function exponentOf(currency: string): number {
  return exponents.get(currency) ?? 2;
}

/**
 * What an amount computed by us is rounded to, in minor units. Cards in three-decimal currencies are charged in
 * steps of ten: Stripe refuses a KWD amount whose last digit is not 0 (docs.stripe.com/currencies, "Three-decimal
 * currencies"), so a tax of 1.234 KWD would make the whole order unpayable.
 */
export function roundingStepOf(currency: string): number {
  return exponentOf(currency) === 3 ? 10 : 1;
}

/**
 * `numerator / denominator`, rounded half up to a multiple of `step`: what shops print and what tax offices expect
 * where no other method is prescribed. All are whole and not negative, and the product stays below 2^53.
 */
export function divideHalfUp(division: { numerator: number; denominator: number; step?: number }): number {
  const { numerator, denominator, step = 1 } = division;
  const unit = denominator * step;
  if (!Number.isSafeInteger(numerator) || !Number.isSafeInteger(2 * unit) || numerator < 0 || unit <= 0) {
    throw new RangeError(`not a division of whole amounts: ${numerator} / ${denominator}`);
  }
  const whole = Math.floor(numerator / unit);
  const rest = numerator - whole * unit;
  return (2 * rest >= unit ? whole + 1 : whole) * step;
}

const decimalText = /^(\d{1,12})(?:\.(\d{1,12}))?$/;

/**
 * Minor units of an amount written in major units: `29.99` USD → 2999, `1500` JPY → 1500, `1.5` KWD → 1500. Null
 * where the text is not a plain decimal, or says more than the currency can hold (`0.999` USD): a price is never
 * rounded behind the shop's back. Zeros beyond the exponent say nothing and are allowed.
 */
export function minorFromDecimal(text: string, currency: string): number | null {
  const [, whole, fraction = ''] = decimalText.exec(text) ?? [];
  if (whole === undefined) return null;
  const exponent = exponentOf(currency);
  if (!/^0*$/.test(fraction.slice(exponent))) return null;
  const minor = Number(whole + fraction.slice(0, exponent).padEnd(exponent, '0'));
  return Number.isSafeInteger(minor) ? minor : null;
}

/** The amount in major units as plain text: 2999 USD → `29.99`. */
export function decimalFromMinor(amount: number, currency: string): string {
  const exponent = exponentOf(currency);
  if (exponent === 0) return String(amount);
  const digits = String(amount).padStart(exponent + 1, '0');
  return `${digits.slice(0, -exponent)}.${digits.slice(-exponent)}`;
}
