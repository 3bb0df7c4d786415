// `admin.findings.*`: the checks of `npm run audit`, asked for from a page and done by a worker.
import { z } from 'zod';
import { router, staffProcedure } from '../trpc.ts';
import { checkedSchema, findingSchema } from './finding.ts';
import type { Findings } from './findings.ts';

export const findingsOutput = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('never') }),
  z.object({
    /** `lost`: its worker died, or no worker runs; it may be asked for again. */
    kind: z.enum(['waiting', 'running', 'done', 'failed', 'lost']),
    askedBy: z.string(),
    askedAtMs: z.number(),
    startedAtMs: z.number().optional(),
    endedAtMs: z.number().optional(),
    /** How often the books were looked at: again where something was under way. */
    look: z.int(),
    documentsRead: z.int(),
    suspicionsCount: z.int(),
    checked: checkedSchema.optional(),
    findings: z.array(findingSchema),
    /** More than are listed where there are very many. */
    findingsCount: z.int(),
    failure: z.string().optional(),
  }),
]);

export function createFindingsRouter(findings: Findings) {
  const nothing = z.strictObject({}).optional();
  return router({
    start: staffProcedure('operator')
      .input(nothing)
      .output(z.object({ kind: z.enum(['started', 'running']) }))
      .mutation(({ ctx }) => findings.start(ctx.staff.name)),
    get: staffProcedure('viewer')
      .input(nothing)
      .output(findingsOutput)
      .query(async () => {
        const run = await findings.latest();
        if (!run) return { kind: 'never' };
        const { askedBy, askedAtMs, look, documentsRead, suspicionsCount, findingsCount } = run;
        return {
          kind: run.isLost ? 'lost' : run.state,
          askedBy,
          askedAtMs,
          look,
          documentsRead,
          suspicionsCount,
          findingsCount,
          findings: run.findings,
          ...(run.startedAtMs === null ? {} : { startedAtMs: run.startedAtMs }),
          ...(run.endedAtMs === null ? {} : { endedAtMs: run.endedAtMs }),
          ...(run.checked === null ? {} : { checked: run.checked }),
          ...(run.failure === null ? {} : { failure: run.failure }),
        };
      }),
  });
}
