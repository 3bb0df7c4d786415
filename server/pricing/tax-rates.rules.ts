// What consumption is taxed at, by destination and class of goods: the table, and how a shop's own rates change it.
//
// Where consumers must be shown prices with tax (EU: Directive 98/6/EC; UK, NO, CH, AU, NZ, JP have like rules), the
// shop's price contains it and the buyer of every country pays the same: the tax is the part of it that is owed. In
// Canada and the US prices are quoted without, and tax comes on top.
//
// A class that a country's row does not name is taxed at its standard rate there: so a shop that files a product under a
// class which the table knows nothing of never owes more than it took. What differs in a shop's own case (a registration,
// a newer law, goods that fall under another rate) is its to set: `TAX_RATES`.
import type { Destination } from './quote.ts';

export const taxClasses = ['standard', 'reduced', 'books', 'food', 'zero'] as const;
export type TaxClass = (typeof taxClasses)[number];

/** What holds at one destination. Rates in thousandths of a percent, so that 8.1 % and 14.975 % are whole: 20 % is 20,000. */
export interface TaxRates {
  /** True where the prices shown contain the tax. */
  readonly included: boolean;
  readonly standard: number;
  /** Classes that are not taxed at the standard rate. */
  readonly byClass: Readonly<Partial<Record<TaxClass, number>>>;
}

/** In percent, as laws write them. `zero` is 0 everywhere, and `food` is the shop's to say. */
interface Row {
  readonly standard: number;
  readonly reduced?: number;
  readonly books?: number;
}

/**
 * Looked up in November 2026, and what each column means:
 *
 * `standard`: EU-27, GB, NO, CH, LI, IS and MC as the European Commission's Taxes in Europe Database (TEDB) has them, read
 * from the snapshot of 2026-04-28 that the public data set vatnode/eu-vat-rates-data makes of it daily (its entries for
 * countries outside the EU are kept by hand there). The others (AU, NZ, JP, KR, SG, MX, ZA, IL, AE, SA, BH, OM) by their
 * tax offices as of 2026-01-01, and not looked up again.
 *
 * `reduced`: the highest reduced rate of the mainland in the same snapshot (CH and LI: what their law calls so, and not the
 * special rate for lodging; JP: its only one). Which goods it is for differs from country to country, and in some it is for
 * services alone: a shop that uses the class sets what its goods are taxed at.
 *
 * `books`: printed ones; each is a rate of its country in the snapshot, or a zero rate (CZ, IE, GB, NO). Which rate it is, is
 * by the Council of Europe's Compendium of Cultural Policies (19th edition, 2017). Of the changes since, CY (3 % since
 * 2023-07, Official Gazette) and LT (5 % since 2026-01, law XV-287) were looked up; BG, CZ, FI, LV, RO, SI and SK were not.
 *
 * `food` has no column: nearly no country taxes all of it at one rate, and what staples are taxed at changes from year to year
 * (SE 6 % instead of 12 % since 2026-04, AT 4.9 % instead of 10 % for a list since 2026-07).
 */
const includedRows: Readonly<Record<string, Row>> = {
  AT: { standard: 20, reduced: 13, books: 10 },
  BE: { standard: 21, reduced: 12, books: 6 },
  BG: { standard: 20, reduced: 9, books: 9 },
  HR: { standard: 25, reduced: 13, books: 5 },
  CY: { standard: 19, reduced: 9, books: 3 },
  CZ: { standard: 21, reduced: 12, books: 0 },
  DK: { standard: 25 },
  EE: { standard: 24, reduced: 13, books: 9 },
  FI: { standard: 25.5, reduced: 13.5, books: 13.5 },
  FR: { standard: 20, reduced: 10, books: 5.5 },
  DE: { standard: 19, reduced: 7, books: 7 },
  GR: { standard: 24, reduced: 13, books: 6 },
  HU: { standard: 27, reduced: 18, books: 5 },
  IE: { standard: 23, reduced: 13.5, books: 0 },
  IT: { standard: 22, reduced: 10, books: 4 },
  LV: { standard: 21, reduced: 12, books: 5 },
  LT: { standard: 21, reduced: 12, books: 5 },
  LU: { standard: 17, reduced: 14, books: 3 },
  MT: { standard: 18, reduced: 7, books: 5 },
  NL: { standard: 21, reduced: 9, books: 9 },
  PL: { standard: 23, reduced: 8, books: 5 },
  PT: { standard: 23, reduced: 13, books: 6 },
  RO: { standard: 21, reduced: 11, books: 11 },
  SK: { standard: 23, reduced: 19, books: 5 },
  SI: { standard: 22, reduced: 9.5, books: 5 },
  ES: { standard: 21, reduced: 10, books: 4 },
  SE: { standard: 25, reduced: 12, books: 6 },
  GB: { standard: 20, reduced: 5, books: 0 },
  IM: { standard: 20, reduced: 5, books: 0 },
  MC: { standard: 20, reduced: 10, books: 5.5 },
  NO: { standard: 25, reduced: 15, books: 0 },
  CH: { standard: 8.1, reduced: 2.6, books: 2.6 },
  LI: { standard: 8.1, reduced: 2.6, books: 2.6 },
  IS: { standard: 24, reduced: 11, books: 11 },
  AU: { standard: 10 },
  NZ: { standard: 15 },
  JP: { standard: 10, reduced: 8 },
  KR: { standard: 10, books: 0 },
  SG: { standard: 9 },
  MX: { standard: 16, books: 0 },
  ZA: { standard: 15 },
  IL: { standard: 18 },
  AE: { standard: 5 },
  SA: { standard: 15 },
  BH: { standard: 10 },
  OM: { standard: 5 },
};

/**
 * Canada's federal tax by province: GST, or HST where the province has joined it (Canada Revenue Agency, "GST/HST
 * rates by province", NS 14 % since 2025-04). Printed books carry the federal part alone in every province (the
 * provinces' point-of-sale rebates). Provincial sales taxes (BC, MB, SK) and Quebec's QST need a registration in that
 * province, which the engine cannot assume of a shop; nor does it know basic groceries from other food.
 */
const canadaGstPercent = 5;
const canadaHstPercent: Readonly<Record<string, number>> = { ON: 13, NS: 14, NB: 15, NL: 15, PE: 15 };
/** An address form may ask for the name: without the code, the federal tax alone would be taken. */
const canadaCodes: Readonly<Record<string, string>> = {
  ONTARIO: 'ON',
  'NOVA SCOTIA': 'NS',
  'NOUVELLE-ÉCOSSE': 'NS',
  'NEW BRUNSWICK': 'NB',
  'NOUVEAU-BRUNSWICK': 'NB',
  'NEWFOUNDLAND AND LABRADOR': 'NL',
  'TERRE-NEUVE-ET-LABRADOR': 'NL',
  'PRINCE EDWARD ISLAND': 'PE',
  'ÎLE-DU-PRINCE-ÉDOUARD': 'PE',
  QUEBEC: 'QC',
  QUÉBEC: 'QC',
  'BRITISH COLUMBIA': 'BC',
  'COLOMBIE-BRITANNIQUE': 'BC',
  ALBERTA: 'AB',
  MANITOBA: 'MB',
  SASKATCHEWAN: 'SK',
};

/**
 * The shop's own rates, in percent, by `DE`, or by `CA-QC` for a part of a country, which goes before the country's.
 * What it does not name of a region stays as the table has it, but for `included`, without which a region that the table
 * does not know has prices without tax.
 */
export type OwnTaxRates = Readonly<
  Record<string, Readonly<Partial<Record<TaxClass, number | undefined>> & { included?: boolean | undefined }>>
>;

const millipercent = (percent: number) => Math.round(percent * 1_000);

/**
 * The rates for a destination. US sales tax is owed only where a shop has nexus and depends on the street address, so
 * it is none here; neither is it known elsewhere: goods leave untaxed, and import tax is the buyer's.
 */
export function taxRatesOf(
  destination: Pick<Destination, 'country' | 'state'>,
  own: OwnTaxRates = {},
): TaxRates {
  const named = destination.state?.trim().normalize().toUpperCase() ?? '';
  const state = (destination.country === 'CA' ? valueOf(canadaCodes, named) : undefined) ?? named;
  const given = tableRates(destination.country, state);
  const changes = [valueOf(own, destination.country), valueOf(own, `${destination.country}-${state}`)];
  return changes.reduce<TaxRates>((rates, change) => (change ? changed(rates, change) : rates), given);
}

function tableRates(country: string, state: string): TaxRates {
  if (country === 'CA') {
    const gst = millipercent(canadaGstPercent);
    const hst = valueOf(canadaHstPercent, state);
    return {
      included: false,
      standard: hst === undefined ? gst : millipercent(hst),
      byClass: { books: gst, zero: 0 },
    };
  }
  const { standard = 0, ...others } = valueOf(includedRows, country) ?? {};
  return changed(
    {
      included: Object.hasOwn(includedRows, country),
      standard: millipercent(standard),
      byClass: { zero: 0 },
    },
    others,
  );
}

function changed(rates: TaxRates, change: OwnTaxRates[string]): TaxRates {
  const byClass = { ...rates.byClass };
  for (const taxClass of taxClasses) {
    const percent = change[taxClass];
    if (taxClass !== 'standard' && percent !== undefined) byClass[taxClass] = millipercent(percent);
  }
  return {
    included: change.included ?? rates.included,
    standard: change.standard === undefined ? rates.standard : millipercent(change.standard),
    byClass,
  };
}

/** Countries are keys given by buyers: what an object inherits must not answer for one. */
function valueOf<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
