// admin.drop.report.
import { staffProcedure } from '../trpc.ts';
import type { Report } from './report.ts';
import { reportInputSchema, reportSchema } from './report-output.ts';

/** Mounted as `admin.drop.report`. */
export function createReportProcedure(report: Report) {
  return staffProcedure('viewer')
    .input(reportInputSchema)
    .output(reportSchema)
    .query(({ input: { dropId, payments = true, calls = false } }) => report({ dropId, payments, calls }));
}
