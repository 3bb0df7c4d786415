// The negative control of the drill: against an engine whose holds read and then write, its gates must fail; or they
// prove nothing when they hold. The ledger in MongoDB, the second gate, must stop the double sale all the same.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runDrill } from '../../scripts/drill/run-drill.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';

const hook = path.resolve(import.meta.dirname, '../support/unsafe-holds/register.ts');
const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-oversell-'));
let installation: Installation;

beforeAll(async () => {
  installation = await startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'error', NODE_OPTIONS: `--import ${hook}` },
  });
}, 120_000);
afterAll(async () => {
  await installation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('an engine whose holds read and then write', () => {
  it('oversells in Redis, which the drill sees; the ledger still sells each unit once', {
    timeout: 120_000,
  }, async () => {
    const { result, report } = await runDrill({
      url: installation.url,
      adminKey: installation.adminKey,
      buyersCount: 60,
      stockCount: 20,
      shape: 'lobby',
      skusCount: 1,
      abandonShare: 0,
      declineShare: 0,
      challengeShare: 0,
      withinMs: 60_000,
      toldWithinMs: 60_000,
      signal: new AbortController().signal,
      out: null,
    });
    const failed = result.gates.filter(gate => !gate.ok).map(gate => gate.name);
    expect(result.ok).toBe(false);
    expect(result.oversold).toBeGreaterThan(0);
    expect(failed).toContain('oversold');
    expect(failed).toContain('authorised and turned away');
    expect(report.findings.some(finding => finding.invariant === 1)).toBe(true);
    // More were let through to payment than there are units: none of them was sold one twice, or charged for none.
    expect(report.turnedAway).toBeGreaterThan(0);
    expect(result.unitsDistinct).toBe(20);
    expect(result.ordersPaid).toBe(20);
    expect(result.capturedMinor).toBe(result.expectedMinor);
    expect(report.findings.filter(finding => finding.invariant === 2)).toEqual([]);
  });
});
