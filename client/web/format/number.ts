import { byLocale } from './by-locale.ts';

const whole = byLocale(locale => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));

export function formatCount(number: number): string {
  return whole().format(number);
}
