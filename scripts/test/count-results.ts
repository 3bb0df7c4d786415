// Adds up what a whole test run came to. A run that ended badly can never look good: a file that could not be
// loaded, an error outside every test, or a runner that died counts as a failure.
import { z } from 'zod';
import type { CheckResult } from '../check/run-checks.ts';

const reportSchema = z.object({
  numPassedTests: z.number(),
  numFailedTests: z.number(),
  numPendingTests: z.number(),
  numTodoTests: z.number(),
  testResults: z.array(
    z.object({
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
    }),
  ),
});

export type Totals = { passed: number; failed: number; skipped: number };

/** `report` is the text of Vitest's JSON report, undefined if it wrote none; `status` is how it ended. */
export function countResults(options: {
  checks: CheckResult[];
  report: string | undefined;
  status: number;
}): Totals {
  const { checks, report, status } = options;
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  for (const check of checks) totals[check.ok ? 'passed' : 'failed'] += 1;

  const parsed = reportSchema.safeParse(parseJson(report));
  if (!parsed.success) return { ...totals, failed: totals.failed + 1 };
  const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = parsed.data;
  const brokenFiles = testResults.filter(
    file => file.status === 'failed' && file.assertionResults.every(each => each.status !== 'failed'),
  ).length;
  const failedTests = numFailedTests + brokenFiles;
  return {
    passed: totals.passed + numPassedTests,
    failed: totals.failed + (status !== 0 && failedTests === 0 ? 1 : failedTests),
    skipped: numPendingTests + numTodoTests,
  };
}

/** The last line of a run; others read it. */
export function closingLine({ passed, failed, skipped }: Totals): string {
  return `${passed} passed, ${failed} failed${skipped === 0 ? '' : `, ${skipped} skipped`}`;
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
