// admin.audit: the audit log, newest first.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { adminProcedure } from '../trpc.ts';
import type { AuditLog } from './audit-log.ts';

export const auditOutput = z.object({
  items: z.array(
    z.object({
      seq: z.int(),
      atMs: z.number(),
      who: z.string(),
      what: z.string(),
      outcome: z.enum(['done', 'refused', 'failed']),
      target: z.string().nullable(),
      hash: z.string(),
    }),
  ),
  nextCursor: z.string().optional(),
});

export function createAuditProcedure(auditLog: AuditLog) {
  return adminProcedure
    .input(
      z
        .strictObject({
          cursor: z
            .string()
            .regex(/^\d{1,15}$/, 'a cursor that this list gave')
            .optional(),
          limit: z.int().min(1).max(limits.listPageCount.max).optional(),
        })
        .optional(),
    )
    .output(auditOutput)
    .query(async ({ input }) => {
      const limit = input?.limit ?? limits.listPageCount.default;
      const beforeSeq = input?.cursor === undefined ? undefined : Number(input.cursor);
      const found = await auditLog.list({ limit: limit + 1, beforeSeq });
      const items = found.slice(0, limit);
      const last = items.at(-1);
      return found.length > limit && last ? { items, nextCursor: String(last.seq) } : { items };
    });
}
