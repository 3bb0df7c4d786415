// admin.audit: the audit log, newest first, all of it or what is looked for.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { staffProcedure } from '../trpc.ts';
import { auditOutcomes, type AuditLog } from './audit-log.ts';

export const auditOutput = z.object({
  items: z.array(
    z.object({
      seq: z.int(),
      atMs: z.number(),
      who: z.string(),
      what: z.string(),
      outcome: z.enum(auditOutcomes),
      target: z.string().nullable(),
      hash: z.string(),
    }),
  ),
  nextCursor: z.string().optional(),
});

export function createAuditProcedure(auditLog: AuditLog) {
  return staffProcedure('viewer')
    .input(
      z
        .strictObject({
          cursor: z
            .string()
            .regex(/^\d{1,15}$/, 'a cursor that this list gave')
            .optional(),
          limit: z.int().min(1).max(limits.listPageCount.max).optional(),
          who: z.string().min(1).max(200).optional(),
          what: z
            .string()
            .regex(/^[A-Za-z]{1,40}(\.[A-Za-z]{1,40}){0,3}$/, 'a procedure, or the beginning of its name')
            .optional(),
          outcome: z.enum(auditOutcomes).optional(),
          target: z.string().min(1).max(64).optional(),
        })
        .optional(),
    )
    .output(auditOutput)
    .query(async ({ input }) => {
      const { cursor, limit = limits.listPageCount.default, ...wanted } = input ?? {};
      const beforeSeq = cursor === undefined ? undefined : Number(cursor);
      const found = await auditLog.list({ ...wanted, limit: limit + 1, beforeSeq });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return found.length > limit && last ? { items, nextCursor: String(last.seq) } : { items };
    });
}
