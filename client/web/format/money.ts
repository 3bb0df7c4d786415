import { byLocale } from './by-locale.ts';

export interface Money {
  readonly amount: number;
  readonly currency: string;
}

const known = byLocale(locale => ({
  locale,
  formats: new Map<string, { write: Intl.NumberFormat; minorPerMajor: number }>(),
}));

function formatOf(currency: string) {
  const { locale, formats } = known();
  const made = formats.get(currency);
  if (made) return made;
  const write = new Intl.NumberFormat(locale, { style: 'currency', currency });
  // Browsers know each currency's decimals: JPY has none, KWD three.
  const decimals = write.resolvedOptions().maximumFractionDigits ?? 2;
  const format = { write, minorPerMajor: 10 ** decimals };
  formats.set(currency, format);
  return format;
}

/** A price as the reader writes it; `amount` is in minor units. */
export function formatMoney({ amount, currency }: Money): string {
  const { write, minorPerMajor } = formatOf(currency);
  return write.format(amount / minorPerMajor);
}

/** How many minor units make one of the currency: 100 for EUR, 1 for JPY. */
export function minorPerMajorOf(currency: string): number {
  return formatOf(currency).minorPerMajor;
}
