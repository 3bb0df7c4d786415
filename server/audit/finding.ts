export interface Finding {
  /** The number of the invariant, as the README lists them. */
  readonly invariant: 1 | 2 | 3 | 4 | 7;
  /** The document at fault: a drop's, an order's, a unit's or a payment's id. */
  readonly document: string;
  readonly what: string;
}
