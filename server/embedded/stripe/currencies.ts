/**
 * What Stripe accepts as an amount: its currencies, the least and the greatest amount, and the currencies whose amounts
 * must be rounded. Source: Stripe's "Supported currencies" page (minimum and maximum charge amounts, zero-decimal and
 * three-decimal currencies, special cases).
 */

import { invalidRequest } from './api-error.ts';

/** Least amounts in minor units. A currency without an entry is bounded at Stripe by its settlement value, unknown here. */
const MINIMUMS: ReadonlyMap<string, number> = new Map(
  Object.entries({
    usd: 50,
    aed: 200,
    aud: 50,
    bgn: 100,
    brl: 50,
    cad: 50,
    chf: 50,
    czk: 1500,
    dkk: 250,
    eur: 50,
    gbp: 30,
    hkd: 400,
    huf: 17500,
    inr: 50,
    jpy: 50,
    mxn: 1000,
    myr: 200,
    nok: 300,
    nzd: 50,
    pln: 200,
    ron: 200,
    sek: 300,
    sgd: 50,
    thb: 1000,
  }),
);

const SUPPORTED: ReadonlySet<string> = new Set(
  (
    'usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn bzd cad cdf chf clp ' +
    'cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf idr ils inr isk ' +
    'jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn ' +
    'nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd std ' +
    'szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw'
  ).split(' '),
);

/** Three decimals, of which the card networks carry two: the last digit must be 0. */
const LAST_DIGIT_ZERO = new Set(['bhd', 'jod', 'kwd', 'omr', 'tnd']);
/** No decimals in life, two on Stripe's wire for old reasons: the last two digits must be 00. */
const LAST_TWO_ZERO = new Set(['isk', 'ugx']);
const ZERO_DECIMAL = new Set('bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf'.split(' '));

/** Eight digits; the Indonesian rupiah, the Colombian peso and others are allowed more at Stripe, and here too. */
const AMOUNT_MAX = 99_999_999;
const AMOUNT_MAX_LONG = 999_999_999_999;
const LONG_AMOUNTS = new Set(['idr', 'cop', 'huf', 'jpy', 'inr', 'vnd', 'lbp']);

export function checkCurrency(text: string): string {
  const currency = text.toLowerCase();
  if (SUPPORTED.has(currency)) return currency;
  throw invalidRequest({
    message: `Invalid currency: ${currency}. Stripe currently supports these currencies: ${[...SUPPORTED].join(', ')}`,
    param: 'currency',
  });
}

export function checkAmount(amount: number, currency: string): void {
  if (amount < 1) {
    throw invalidRequest({
      message: 'This value must be greater than or equal to 1.',
      code: 'parameter_invalid_integer',
      param: 'amount',
    });
  }
  const least = MINIMUMS.get(currency) ?? 1;
  if (amount < least) {
    throw invalidRequest({
      message: `Amount must be at least ${formatted(least, currency)}`,
      code: 'amount_too_small',
      param: 'amount',
    });
  }
  const most = LONG_AMOUNTS.has(currency) ? AMOUNT_MAX_LONG : AMOUNT_MAX;
  if (amount > most) {
    throw invalidRequest({
      message: `Amount must be no more than ${formatted(most, currency)}`,
      code: 'amount_too_large',
      param: 'amount',
    });
  }
  const step = LAST_DIGIT_ZERO.has(currency) ? 10 : LAST_TWO_ZERO.has(currency) ? 100 : 1;
  if (amount % step === 0) return;
  throw invalidRequest({
    message: `Invalid amount: ${amount}. Amounts in ${currency} must be divisible by ${step}.`,
    code: 'parameter_invalid_integer',
    param: 'amount',
  });
}

function formatted(amount: number, currency: string): string {
  const decimals = ZERO_DECIMAL.has(currency) ? 0 : LAST_DIGIT_ZERO.has(currency) ? 3 : 2;
  return `${(amount / 10 ** decimals).toFixed(decimals)} ${currency}`;
}
