import { byLocale } from './by-locale.ts';

const whole = byLocale(locale => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 }));

export function formatCount(number: number): string {
  return whole().format(number);
}

const percent = byLocale(
  locale => new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 3 }),
);

/** 8.1 as `8.1%`, in the reader's spelling. */
export function formatPercent(number: number): string {
  return percent().format(number / 100);
}
