// How long the audit takes, and how much memory: the embedded services with a drop of many orders, each as the engine
// leaves it; then each invariant is broken once, and every violation must be named. The audit runs as a process of its own.
//
//   node scripts/run.js scripts/audit-load.ts [-- --orders 100000]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { nodeOptionsOf } from './command/node-options.ts';
import { say } from './command/say.ts';
import { plantViolations, startAuditInstallation } from '../test/support/audit-installation.ts';

const { values } = parseArgs({ options: { orders: { type: 'string', default: '100000' } } });
const ordersCount = Number(values.orders);

const reportSchema = z.object({
  checked: z.record(z.string(), z.int()),
  findings: z.array(z.object({ invariant: z.int(), document: z.string(), what: z.string() })),
  tookMs: z.number(),
  peakMemoryMib: z.number(),
});

/** With the heap that Node would take by itself, memory says little. */
const nodeOptions = nodeOptionsOf('audit');
// No installation was started from here, so that the audit takes the settings that it is given.
const nowhere = mkdtempSync(path.join(tmpdir(), 'doorbuster-audit-load-'));
const startedAt = performance.now();
const installation = await startAuditInstallation(ordersCount, count =>
  process.stderr.write(`\r${count} orders `),
);
process.stderr.write('\n');
say(`filled with ${ordersCount} orders in ${seconds(performance.now() - startedAt)}`);

try {
  const whole = await audit();
  const counts = Object.entries(whole.checked).map(([what, count]) => `${count} ${what}`);
  say(`whole      ${counts.join(', ')}`);
  say(`           ${seconds(whole.tookMs)}, ${whole.peakMemoryMib} MiB, ${whole.findings.length} findings`);
  for (const { invariant, document, what } of whole.findings.slice(0, 5))
    say(`           ${invariant} ${document}: ${what}`);

  const planted = await plantViolations(installation);
  const broken = await audit();
  say(
    `broken     ${seconds(broken.tookMs)}, ${broken.peakMemoryMib} MiB, ${broken.findings.length} findings`,
  );
  let missedCount = 0;
  for (const [what, { invariant, document }] of planted) {
    const found = broken.findings.find(
      finding => finding.invariant === invariant && finding.document === document,
    );
    if (!found) missedCount += 1;
    say(`${found ? 'found ' : 'MISSED'} ${String(invariant).padStart(3)}  ${what}`);
    if (found) say(`             ${found.document}: ${found.what}`);
  }
  const names = new Set([...planted.values()].map(({ invariant, document }) => `${invariant} ${document}`));
  const others = broken.findings.filter(({ invariant, document }) => !names.has(`${invariant} ${document}`));
  for (const { invariant, document, what } of others) say(`OTHER  ${invariant} ${document}: ${what}`);
  process.exitCode = whole.findings.length + missedCount + others.length === 0 ? 0 : 1;
} finally {
  await installation.close();
  rmSync(nowhere, { recursive: true, force: true });
}

async function audit() {
  const argv = [
    ...nodeOptions,
    path.resolve(import.meta.dirname, 'audit.ts'),
    '--json',
    '--looks',
    '1',
    '--data',
    nowhere,
  ];
  const child = spawn(process.execPath, argv, {
    env: { ...process.env, ...installation.settings },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  return reportSchema.parse(JSON.parse(output));
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
