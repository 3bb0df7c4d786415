// The fault matrix in short: faults that take seconds, on the frame that `npm run chaos` runs all of them on. How soon
// is its business on a quiet machine; that they are withstood is this test's.
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { redisKilled } from '../../scripts/chaos/redis-killed.ts';
import { replyLost } from '../../scripts/chaos/reply-lost.ts';
import { runFaults, type FaultResult } from '../../scripts/chaos/run-faults.ts';

const run = { seed: 7, signal: new AbortController().signal, say: () => undefined };
const failing = ({ why, checks }: FaultResult) => ({
  why,
  checks: checks.filter(({ ok, name }) => !ok && !name.startsWith('ms ')),
});

describe('an installation', { timeout: 120_000 }, () => {
  it('withstands the loss of replies to holds, and a Redis that is killed, and the audit finds nothing', async () => {
    const results = await runFaults([replyLost, redisKilled], run);
    expect(results.map(failing)).toEqual([
      { why: null, checks: [] },
      { why: null, checks: [] },
    ]);
    expect(results.map(({ figures }) => figures['auditFindings'])).toEqual([0, 0]);
  });

  it('whose holds do not know their own id fails where a reply is lost: the control', async () => {
    const hook = path.resolve(import.meta.dirname, '../support/forgetful-holds.ts');
    const [result] = await runFaults([replyLost], { ...run, env: { NODE_OPTIONS: `--import ${hook}` } });
    expect(result?.outcome).toBe('failed');
    expect(result && failing(result).checks.map(({ name }) => name)).toContain('answers of the same hold');
  });
});
