// Where goods can go, by which method, and what that costs.
import type { Destination } from './quote.ts';

/** ISO 3166-1 alpha-2, all 249 officially assigned codes: anything else is no country that a parcel can go to. */
const countries: ReadonlySet<string> = new Set(
  (
    'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ ' +
    'CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR ' +
    'GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO ' +
    'JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR ' +
    'MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO ' +
    'RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV ' +
    'TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'
  ).split(' '),
);

/** Uninhabited, or without any civil postal service. */
const withoutPost = ['AQ', 'BV', 'GS', 'HM', 'TF', 'UM'];

export interface ShippingTable {
  readonly methods: Readonly<Record<string, { readonly amount: number }>>;
  /** What is used where the cart names none. */
  readonly defaultMethod: string;
  readonly excludedCountries: readonly string[];
}

/**
 * Free everywhere for now: zero is the one amount that is the same in every currency, and a price that only appears
 * at the till is what makes people leave a drop. Rates by zone and weight need a weight for each variant first.
 */
export const defaultShipping: ShippingTable = {
  methods: { standard: { amount: 0 } },
  defaultMethod: 'standard',
  excludedCountries: withoutPost,
};

export type ShippingCost =
  | { kind: 'shippable'; method: string; amount: number }
  | { kind: 'not-shippable'; because: 'country' | 'method' };

export function shippingCostOf(request: {
  destination: Pick<Destination, 'country'>;
  method: string | undefined;
  table?: ShippingTable | undefined;
}): ShippingCost {
  const { destination, table = defaultShipping } = request;
  const method = request.method ?? table.defaultMethod;
  if (!countries.has(destination.country) || table.excludedCountries.includes(destination.country)) {
    return { kind: 'not-shippable', because: 'country' };
  }
  const row = Object.hasOwn(table.methods, method) ? table.methods[method] : undefined;
  return row
    ? { kind: 'shippable', method, amount: row.amount }
    : { kind: 'not-shippable', because: 'method' };
}
