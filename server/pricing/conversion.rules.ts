// Prices in currencies for which the shop has said none: made of its price in another by a rate that the shop has set.
// Pure and exact: a rate is kept as the decimal text that it was set as, and never becomes a float.
import { exponentOf, roundingStepOf } from './currencies.rules.ts';

export interface ExchangeRate {
  readonly from: string;
  readonly to: string;
  /** How many units of `to` one unit of `from` is, in decimals: `1.0845`. */
  readonly rate: string;
  /** The day that it is of. */
  readonly atMs: number;
}

const ratePattern = /^(\d{1,9})(?:\.(\d{1,9}))?$/;

/** The rate as a whole number and the power of ten that it is to be divided by; null where it is none, or zero. */
export function readRate(text: string): { numerator: bigint; decimals: number } | null {
  const [, whole, fraction = ''] = ratePattern.exec(text) ?? [];
  if (whole === undefined) return null;
  const numerator = BigInt(whole + fraction);
  return numerator > 0n ? { numerator, decimals: fraction.length } : null;
}

/**
 * Minor units of `rate.to` for minor units of `rate.from`: rounded once, half up, to what the currency's amounts are rounded
 * to (ISO 4217's exponent, and steps of ten where it is 3). No price becomes zero that was not. Null where the result is no
 * amount that can be counted.
 */
export function convertAmount(amount: number, { from, to, rate }: ExchangeRate): number | null {
  const read = readRate(rate);
  if (!read) return null;
  const step = BigInt(roundingStepOf(to));
  const numerator = BigInt(amount) * read.numerator * 10n ** BigInt(exponentOf(to));
  const denominator = 10n ** BigInt(exponentOf(from) + read.decimals) * step;
  const steps = (2n * numerator + denominator) / (2n * denominator);
  const converted = (steps === 0n && amount > 0 ? 1n : steps) * step;
  return converted <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(converted) : null;
}
