// Price ranges as a facet. A product carries the lower bound of its band, computed when it is indexed, so that
// counting ranges costs no more than counting brands, whatever the search service supports.
import { exponentOf } from '../pricing/currencies.rules.ts';

/** Lower bounds in major units: about as many products fall into each, whatever a shop sells. */
const boundsMajor = [0, 10, 25, 50, 100, 250, 500, 1_000, 2_500] as const;

function boundsOf(currency: string): number[] {
  // Prices in currencies without decimals are a hundredfold in number: 100 JPY is about a dollar.
  const scale = exponentOf(currency) === 0 ? 100 : 10 ** exponentOf(currency);
  return boundsMajor.map(bound => bound * scale);
}

/** The lower bound, in minor units, of the band that a price falls in. */
export function priceBandOf(price: { amount: number; currency: string }): number {
  return boundsOf(price.currency).findLast(bound => bound <= price.amount) ?? 0;
}

/** The first amount above the band; null for the last band. */
export function priceBandEndOf(from: number, currency: string): number | null {
  return boundsOf(currency).find(bound => bound > from) ?? null;
}
