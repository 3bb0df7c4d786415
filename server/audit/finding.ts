import { z } from 'zod';

/**
 * The invariants that an installation can show while it runs or at rest. Missing is 8 alone, whether a history of holds
 * and releases is linearizable: Redis keeps no history, so only a test that records one can tell.
 */
export const auditedInvariants = [1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13] as const;

export interface Finding {
  /** The number of the invariant, as `test/README.md` lists them. */
  readonly invariant: (typeof auditedInvariants)[number];
  /** The document at fault: the id of a drop, an order, a hold, a unit, a payment, a card or an event. */
  readonly document: string;
  readonly what: string;
}

export type ReportFinding = (finding: Finding) => void;

/** A finding, as it is kept and told. */
export const findingSchema = z.object({
  invariant: z.literal(auditedInvariants),
  document: z.string(),
  what: z.string(),
});

/** How much a look at the books has read. */
export const checkedSchema = z.object({
  drops: z.int(),
  orders: z.int(),
  units: z.int(),
  payments: z.int(),
  // A run from before holds were read has no such count.
  holds: z.int().default(0),
  calls: z.int(),
});
