// Whether an address is where a quote ships to. Only what the quote's destination states is compared: a quote for a
// country alone is good for every address in it.
import type { Destination } from '../pricing/quote.ts';

export interface AddressPlace {
  readonly country: string;
  readonly state?: string | undefined;
  readonly postcode?: string | undefined;
}

export function isDestination(destination: Destination, address: AddressPlace): boolean {
  return (
    same(destination.country, address.country) &&
    (destination.state === undefined || same(destination.state, address.state)) &&
    (destination.postcode === undefined || same(destination.postcode, address.postcode))
  );
}

/** Case, blanks and hyphens are a matter of typing: `sw1a 1aa` is `SW1A1AA`. */
function same(expected: string, given: string | undefined): boolean {
  const plain = (text: string) => text.toUpperCase().replaceAll(/[\s-]/g, '');
  return given !== undefined && plain(expected) === plain(given);
}
