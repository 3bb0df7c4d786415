// Mounted as `admin.group`.
import { z } from 'zod';
import { buyerIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { router, staffProcedure } from '../trpc.ts';
import { groupNameSchema, groupSchema, groupTermsSchema } from './group.ts';
import type { Groups } from './groups.ts';

export function createAdminGroupsRouter(groups: Groups) {
  return router({
    put: staffProcedure('admin')
      .input(groupTermsSchema)
      .output(z.object({ kind: z.enum(['put', 'full']), group: z.string() }))
      .mutation(async ({ input }) => ({ kind: await groups.put(input), group: input.group })),

    remove: staffProcedure('admin')
      .input(z.strictObject({ group: groupNameSchema }))
      .output(z.object({ kind: z.enum(['removed', 'absent']) }))
      .mutation(async ({ input }) => ({ kind: await groups.remove(input.group) })),

    list: staffProcedure('viewer')
      .input(z.strictObject({}).optional())
      .output(z.object({ items: z.array(groupSchema) }))
      .query(async () => ({ items: await groups.list() })),

    putBuyer: staffProcedure('admin')
      .input(
        z.strictObject({
          buyerId: buyerIdSchema,
          groups: z.array(groupNameSchema).max(limits.groupsPerBuyerCount),
          untilMs: z.int().min(0).max(8_640_000_000_000_000).optional(),
        }),
      )
      .output(z.object({ buyerId: buyerIdSchema, groups: z.array(z.string()) }))
      .mutation(async ({ input }) => {
        await groups.putMember(input);
        const member = await groups.member(input.buyerId);
        return { buyerId: input.buyerId, groups: member?.groups ?? [] };
      }),

    // Who is in which group is about buyers, as orders are.
    buyer: staffProcedure('operator')
      .input(z.strictObject({ buyerId: buyerIdSchema }))
      .output(z.object({ groups: z.array(z.string()), untilMs: z.number().optional() }))
      .query(async ({ input }) => {
        const member = await groups.member(input.buyerId);
        return {
          groups: member?.groups ?? [],
          ...(member?.untilMs == null ? {} : { untilMs: member.untilMs }),
        };
      }),
  });
}
