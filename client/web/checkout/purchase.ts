// What a purchase is to this page, from the reservation to the order. Its truth is on the server: every stage can be
// found again from the hold's id alone.
import type { KeptContact } from '../engine/kept.ts';
import type { Destination, Hold, Payable, Quoted } from '../engine/types.ts';
import type { Money } from '../format/money.ts';

export type Reserved = Pick<Hold, 'holdId' | 'expiresAtMs' | 'lines' | 'total'>;

export type Stage =
  /** Nothing reserved: there may be a pass to choose with, or not. */
  | { kind: 'none' }
  /** There was a purchase before the page was loaded; it is being looked up. */
  | { kind: 'looking' }
  /** `requoted` where the address changed the price, until the buyer agrees or changes it back. */
  | { kind: 'held'; hold: Reserved; requoted: Quoted | null }
  | { kind: 'payable'; payable: Payable; total: Money }
  /** `agreed` where the bank has said yes on this page, so that nothing is asked for again meanwhile. */
  | { kind: 'order'; orderId: string; agreed: boolean };

export interface Place {
  readonly country: string;
  readonly state: string;
}

export interface Purchase {
  readonly stage: Stage;
  /** Why the last step did not lead on, as a sentence that says what to do. */
  readonly problem: string | null;
  readonly isBusy: boolean;
  /** Where the reserved units are to go. */
  readonly place: Place;
  readonly reserve: (request: {
    pass: string;
    quote: Quoted;
    place: Place;
    /** The code that the quote was asked with; empty for none. */
    coupon: string;
  }) => Promise<ReserveResult>;
  readonly release: () => void;
  readonly pay: (contact: KeptContact, place: Place) => void;
  /** The order says how it goes on; `agreed` where the bank has said yes on this page. */
  readonly followOrder: (agreed: boolean) => void;
  /** Puts an ended purchase aside. */
  readonly close: () => void;
}

/** `renew`: the price on the page is not good any more. */
export type ReserveResult = 'held' | 'refused' | 'renew';

export function destinationOf({ country, state }: Place): Destination {
  return { country, ...(state.trim() === '' ? {} : { state: state.trim() }) };
}

/** One hold makes at most one order, under the hold's id. */
export function orderIdOf(holdId: string): string {
  return `ord_${holdId}`;
}
