// admin.drop.report.
import { adminProcedure } from '../trpc.ts';
import type { Report } from './report.ts';
import { reportInputSchema, reportSchema } from './report-output.ts';

/** Mounted as `admin.drop.report`. */
export function createReportProcedure(report: Report) {
  return adminProcedure
    .input(reportInputSchema)
    .output(reportSchema)
    .query(({ input: { dropId, payments = true, calls = false } }) => report({ dropId, payments, calls }));
}
