import { describe, expect, it } from 'vitest';
import { closingLine, countResults } from '../../scripts/test/count-results.ts';

const check = (name: string, ok: boolean) => ({ name, ok, output: '', tookMs: 1 });
const checks = [check('lint', true), check('types', true)];
const file = (status: string, ...tests: string[]) => ({
  status,
  assertionResults: tests.map(each => ({ status: each })),
});
const report = (counts: { passed?: number; failed?: number; skipped?: number }, ...files: object[]) =>
  JSON.stringify({
    numPassedTests: counts.passed ?? 0,
    numFailedTests: counts.failed ?? 0,
    numPendingTests: counts.skipped ?? 0,
    numTodoTests: 0,
    testResults: files,
  });

describe('the count of a test run', () => {
  it('counts each check as a test', () => {
    const whole = { checks: [...checks, check('format', false)], status: 0 };
    expect(countResults({ ...whole, report: report({ passed: 3, skipped: 1 }) })).toEqual({
      passed: 5,
      failed: 1,
      skipped: 1,
    });
  });

  it('counts a file that could not be loaded as a failure, beside the tests that failed', () => {
    const text = report({ passed: 1, failed: 1 }, file('failed', 'failed', 'passed'), file('failed'));
    expect(countResults({ checks, report: text, status: 1 })).toMatchObject({ failed: 2 });
  });

  it('never looks good when the runner ended badly', () => {
    expect(countResults({ checks, report: report({ passed: 3 }), status: 1 })).toMatchObject({ failed: 1 });
    for (const text of [undefined, '', '{"numPassedTests": 3}']) {
      expect(countResults({ checks, report: text, status: 0 })).toMatchObject({ passed: 2, failed: 1 });
    }
  });

  it('ends in one line', () => {
    expect(closingLine({ passed: 7, failed: 0, skipped: 0 })).toBe('7 passed, 0 failed');
    expect(closingLine({ passed: 7, failed: 1, skipped: 2 })).toBe('7 passed, 1 failed, 2 skipped');
  });
});
