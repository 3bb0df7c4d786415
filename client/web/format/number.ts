import { locale } from '../texts/texts.ts';

const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

export function formatCount(number: number): string {
  return whole.format(number);
}
