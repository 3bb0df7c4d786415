// Tax on consumption by destination. Standard rates only: reduced rates need a tax class for each product, and the
// goods of a drop (electronics, fashion, collectibles) are taxed at the standard rate nearly everywhere.
//
// Where consumers must be shown prices with tax (EU: Directive 98/6/EC; UK, NO, CH, AU, NZ, JP have like rules), the
// shop's price contains it and the buyer of every country pays the same: the tax is the part of it that is owed. In
// Canada and the US prices are quoted without, and tax comes on top.
//
// Tax is rounded once, half up, on the whole taxable amount of an order, not line by line: then the error is at most
// half a minor unit however many lines there are, and the order of lines cannot matter. EU law leaves the method to
// the member states (CJEU C-484/06, Ahold), and none of those below forbids rounding by order.
import { divideHalfUp, roundingStepOf } from './currencies.rules.ts';
import type { Destination } from './quote.ts';

export interface TaxRule {
  /** In thousandths of a percent, so that 8.1 % and 14.975 % are whole: 20 % is 20,000. */
  readonly rateMillipercent: number;
  /** True where the price shown contains the tax. */
  readonly included: boolean;
}

const whole = 100_000;

/**
 * Standard rates as of 2026-01-01. EU-27: European Commission, "Taxes in Europe Database" (with EE 24 % since
 * 2025-07, RO 21 % since 2025-08, SK 23 % since 2025-01, FI 25.5 % since 2024-09). Others: HMRC; Skatteetaten; the
 * Swiss ESTV (8.1 % since 2024-01; Liechtenstein shares it); Skatturinn; ATO; Inland Revenue NZ; National Tax Agency
 * of Japan; IRAS; NTS Korea; OECD Consumption Tax Trends for the rest.
 */
const includedPercent: Readonly<Record<string, number>> = {
  AT: 20,
  BE: 21,
  BG: 20,
  HR: 25,
  CY: 19,
  CZ: 21,
  DK: 25,
  EE: 24,
  FI: 25.5,
  FR: 20,
  DE: 19,
  GR: 24,
  HU: 27,
  IE: 23,
  IT: 22,
  LV: 21,
  LT: 21,
  LU: 17,
  MT: 18,
  NL: 21,
  PL: 23,
  PT: 23,
  RO: 21,
  SK: 23,
  SI: 22,
  ES: 21,
  SE: 25,
  GB: 20,
  IM: 20,
  MC: 20,
  NO: 25,
  CH: 8.1,
  LI: 8.1,
  IS: 24,
  AU: 10,
  NZ: 15,
  JP: 10,
  KR: 10,
  SG: 9,
  MX: 16,
  ZA: 15,
  IL: 18,
  AE: 5,
  SA: 15,
  BH: 10,
  OM: 5,
};

/**
 * Canada's federal tax by province: GST, or HST where the province has joined it (Canada Revenue Agency, "GST/HST
 * rates by province", NS 14 % since 2025-04). Provincial sales taxes (BC, MB, SK) and Quebec's QST need a
 * registration in that province, which the engine cannot assume of a shop.
 */
const canadaGstPercent = 5;
const canadaHstPercent: Readonly<Record<string, number>> = { ON: 13, NS: 14, NB: 15, NL: 15, PE: 15 };

const noTax: TaxRule = { rateMillipercent: 0, included: false };

/**
 * The rule for a destination. US sales tax is owed only where a shop has nexus and depends on the street address, so
 * it is none here; neither is it known elsewhere: goods leave untaxed, and import tax is the buyer's.
 */
export function taxRuleOf(destination: Pick<Destination, 'country' | 'state'>): TaxRule {
  const { country, state } = destination;
  if (country === 'CA') {
    const percent = own(canadaHstPercent, state?.trim().toUpperCase() ?? '') ?? canadaGstPercent;
    return { rateMillipercent: percent * 1000, included: false };
  }
  const percent = own(includedPercent, country);
  return percent === undefined ? noTax : { rateMillipercent: Math.round(percent * 1000), included: true };
}

/** Tax on an amount in minor units: the part of it that is tax where it is included, else what comes on top. */
export function taxOf(taxable: { amount: number; currency: string; rule: TaxRule }): number {
  const { amount, currency, rule } = taxable;
  const numerator = amount * rule.rateMillipercent;
  if (rule.included) return divideHalfUp({ numerator, denominator: whole + rule.rateMillipercent });
  return divideHalfUp({ numerator, denominator: whole, step: roundingStepOf(currency) });
}

/** Countries are keys given by buyers: what an object inherits must not answer for one. */
function own(table: Readonly<Record<string, number>>, key: string): number | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
