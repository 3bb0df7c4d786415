// What `admin.drop.report` answers: a drop's books, counted anew from MongoDB, Stripe, Redis and the call log. The drill
// takes its gates from it and the audit its findings, so that both work on any running installation.
import { z } from 'zod';
import { dropIdSchema, skuSchema } from '../ids.ts';

const count = z.int();

export const reportInputSchema = z.strictObject({
  dropId: dropIdSchema,
  /** Stripe is asked for every payment of the drop unless this is false: then what is counted from payments is null. */
  payments: z.boolean().optional(),
  /** True adds every entry of the call log. */
  calls: z.boolean().optional(),
});

/** `invariant` is the number in the list of what must always hold; `subject` is the id of what breaks it. */
export const findingSchema = z.object({ invariant: count, what: z.string(), subject: z.string() });
export type Finding = z.infer<typeof findingSchema>;

export const loggedCallSchema = z.object({
  seq: count,
  atMs: z.number(),
  lane: z.string(),
  from: count,
  to: count,
  hash: z.string(),
});
export type LoggedCall = z.infer<typeof loggedCallSchema>;

export const stockSchema = z.object({
  sku: skuSchema,
  total: count,
  available: count,
  held: count,
  sold: count,
  withdrawn: count,
});

export const reportSchema = z.object({
  dropId: dropIdSchema,
  state: z.string(),
  mode: z.string(),
  seedHash: z.string(),
  createdAtMs: z.number(),
  /** When the last unit was sold, on Redis' clock; null while there may be one, or where Redis does not know it. */
  soldOutAtMs: z.number().nullable(),
  countedAtMs: z.number(),
  currency: z.string(),

  /** True once nothing is under way: what follows can then be held against each other. */
  atRest: z.boolean(),
  underWay: z.array(z.string()),

  /** Units that were ever put on sale, less those taken back. */
  stock: count,
  /** Units of paid orders, by the orders' own lines. */
  sold: count,
  /** Units sold or promised beyond the stock, or sold twice: by the orders, the ledger and Redis together. */
  oversold: count,
  /** Different units that the ledger gives to paid orders. */
  unitsDistinct: count,
  ordersPaid: count,
  /** Orders whose payment was authorised and let go because no unit was left. */
  turnedAway: count,
  /** What was captured less what was paid back, at Stripe; null where it was not asked. */
  capturedMinor: count.nullable(),
  /** The same, by the orders. */
  expectedMinor: count,
  /** Orders that were authorised in time and ended unpaid although a unit is free, or that took no part in a race. */
  paidLate: count.nullable(),
  /** Ranks that were called after a higher one of their lane. */
  inversions: count,

  items: z.array(
    z.object({
      sku: skuSchema,
      total: count,
      withdrawn: count,
      /** Null where Redis does not know the drop. */
      redis: stockSchema.nullable(),
      units: z.object({ total: count, owned: count, paid: count }),
      ordered: count,
    }),
  ),
  orders: z.record(z.string(), count),
  payments: z
    .object({
      byStatus: z.record(z.string(), count),
      receivedMinor: count,
      refundedMinor: count,
    })
    .nullable(),
  lanes: z.array(
    z.object({ lane: z.string(), arrived: count, lobbySize: count, serving: count, called: count }),
  ),
  calls: z.object({
    entriesCount: count,
    calledCount: count,
    skippedCount: count,
    brokenLinks: count,
    entries: z.array(loggedCallSchema).exactOptional(),
  }),
  /** What breaks an invariant; at most a hundred of them, the number of all beside it. */
  findings: z.array(findingSchema),
  findingsCount: count,
});
export type DropReport = z.infer<typeof reportSchema>;
