// `admin.whoami`: as whom the engine knows who asks, so that a page offers what its user may do, and nothing else.
import { z } from 'zod';
import { staffProcedure } from '../trpc.ts';
import { roles } from './roles.rules.ts';

export const whoamiOutput = z.object({
  name: z.string(),
  role: z.enum(roles),
  /** When a token ends; an admin key does not. */
  expiresAtMs: z.number().optional(),
  serverTimeMs: z.number(),
});

export function createWhoamiProcedure(clock: { now(): number }) {
  return staffProcedure('viewer')
    .input(z.strictObject({}).optional())
    .output(whoamiOutput)
    .query(({ ctx: { staff } }) => ({
      name: staff.name,
      role: staff.role,
      ...(staff.expiresAtMs === undefined ? {} : { expiresAtMs: staff.expiresAtMs }),
      serverTimeMs: clock.now(),
    }));
}
