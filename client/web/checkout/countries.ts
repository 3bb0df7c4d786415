// The countries of the address form, by name in the reader's language. Where parcels really go is the engine's to say.
import { byLocale } from '../format/by-locale.ts';
import { currentLocale } from '../texts/language.ts';

const codes = (
  'AD AE AF AG AI AL AM AO AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BW BY BZ CA CC CD ' +
  'CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD ' +
  'GE GF GG GH GI GL GM GN GP GQ GR GT GU GW GY HK HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI ' +
  'KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW ' +
  'MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB ' +
  'SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG US UY ' +
  'UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'
).split(' ');

/** In the order of the reader's alphabet. */
export const countries = byLocale((locale): readonly { code: string; name: string }[] => {
  const names = new Intl.DisplayNames(locale, { type: 'region' });
  const collator = new Intl.Collator(locale);
  return codes
    .map(code => ({ code, name: names.of(code) ?? code }))
    .toSorted((one, other) => collator.compare(one.name, other.name));
});

export function countryName(code: string): string {
  return countries().find(country => country.code === code)?.name ?? code;
}

/** The likeliest one, by the browser's language. */
export function ownCountry(): string {
  try {
    const tag = typeof navigator === 'undefined' ? currentLocale() : navigator.language;
    const region = new Intl.Locale(tag).maximize().region;
    return region !== undefined && codes.includes(region) ? region : 'US';
  } catch {
    return 'US';
  }
}

/** Where the address needs more than a country for its price, or to arrive. */
export function hasStates(country: string): boolean {
  return country === 'CA' || country === 'US' || country === 'AU';
}
