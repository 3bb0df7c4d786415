// drop.proof for everybody, admin.drop.beacon for the shop.
import { z } from 'zod';
import type { Drop, Ticket } from '../drops/drop.ts';
import { PublicError } from '../errors.ts';
import { dropIdSchema, type DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import { addressProcedure, staffProcedure, router } from '../trpc.ts';
import type { Fairness } from './fairness.ts';

export interface FairnessParts {
  readonly fairness: Fairness;
  readonly getDrop: (dropId: DropId) => Promise<Drop>;
  /** The content of a ticket that the engine gave out; null for anything else. */
  readonly openTicket: (text: string) => Ticket | null;
}

export const proofOutput = z.object({
  dropId: z.string(),
  mode: z.string(),
  seedHash: z.string(),
  beacon: z.string().optional(),
  beaconValue: z.string().optional(),
  root: z.string().optional(),
  frozenAtMs: z.number().optional(),
  lanes: z.array(z.object({ lane: z.string(), size: z.number(), root: z.string() })).readonly(),
  key: z.string().optional(),
  seed: z.string().optional(),
  callsCount: z.number(),
  callsHead: z.string(),
  inclusion: z
    .object({
      lane: z.string(),
      arrival: z.number(),
      leaf: z.string().optional(),
      path: z.array(z.string()).readonly().optional(),
      rank: z.number().optional(),
    })
    .optional(),
});

export function createFairnessRouter(parts: FairnessParts) {
  const { fairness, getDrop, openTicket } = parts;
  return router({
    proof: addressProcedure('read')
      .input(
        z.strictObject({
          dropId: dropIdSchema,
          ticket: z.string().min(1).max(limits.sealedTextChars).optional(),
        }),
      )
      .output(proofOutput)
      .query(async ({ input }) => {
        const drop = await getDrop(input.dropId);
        const statement = await fairness.statement(drop);
        if (input.ticket === undefined) return statement;
        const ticket = openTicket(input.ticket);
        if (ticket?.dropId !== drop.dropId) throw new PublicError('not-found', 'There is no such ticket');
        const inclusion = await fairness.inclusion(drop, ticket);
        return { ...statement, ...(inclusion ? { inclusion } : {}) };
      }),
  });
}

export function createAdminFairnessRouter(parts: FairnessParts) {
  return router({
    beacon: staffProcedure('operator')
      .input(z.strictObject({ dropId: dropIdSchema, value: z.string().regex(/^[A-Za-z0-9_.:+/=-]{1,256}$/) }))
      .output(z.object({ dropId: dropIdSchema }))
      .mutation(async ({ input }) => {
        await parts.fairness.giveBeacon(await parts.getDrop(input.dropId), input.value);
        return { dropId: input.dropId };
      }),
  });
}
