// The audit over real stores, filled as the engine leaves them: whole, then with each invariant broken once.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openAuditSources } from '../../scripts/audit/sources.ts';
import { runAudit } from '../../server/audit/audit.ts';
import {
  type AuditInstallation,
  plantViolations,
  startAuditInstallation,
} from '../support/audit-installation.ts';

const ordersCount = 150;
let installation: AuditInstallation;
let opened: Awaited<ReturnType<typeof openAuditSources>>;
beforeAll(async () => {
  installation = await startAuditInstallation(ordersCount);
  opened = await openAuditSources(installation.settings);
}, 60_000);
afterAll(async () => {
  await opened?.close();
  await installation?.close();
});

it('finds nothing in stores that are whole, and names every violation that is then planted, and nothing else', async () => {
  const whole = await runAudit(opened.sources, { looksMax: 1 });
  expect(whole.findings).toEqual([]);
  expect(whole.checked).toEqual({ drops: 1, orders: 150, units: 135, payments: 135, holds: 150, calls: 2 });

  const planted = await plantViolations(installation);
  const { findings } = await runAudit(opened.sources, { looksMax: 1 });
  const named = new Set(findings.map(({ invariant, document }) => `${invariant} ${document}`));
  const expected = [...planted.values()].map(({ invariant, document }) => `${invariant} ${document}`);
  expect([...named].toSorted()).toEqual(expected.toSorted());
});
