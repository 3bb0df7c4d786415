// `npm run audit`: checks what must always hold on a running installation. Reads only; exit status 1 on a violation.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { runAudit } from '../server/audit/audit.ts';
import { openAuditSources } from './audit/sources.ts';
import { readRuntime } from './supervisor/runtime.ts';

const usage = `npm run audit -- [options]

Checks a running installation, over Redis, MongoDB and Stripe, reading only:
  1  the stock adds up, and what is sold is what paid orders own
  2  no unit is sold twice, no order that ended unpaid keeps one
  3  no payment is captured without its units, no paid order is lost, the books agree
  4  one order for each hold, one payment and one capture for each order
  7  the call log is whole, and nobody was called out of turn

  --data DIR   the data folder of the installation started here (.data)
  --json       the report as JSON
  --looks N    how often to look again at what seems wrong before calling it a finding (6)
  --help       this text

Where no installation was started from this folder, the settings come from the environment:
REDIS_URL, MONGODB_URI, STRIPE_SECRET_KEY and, for the stand-in, STRIPE_API_BASE.
Exit status: 0 nothing found, 1 a violation, 2 it could not look.
`;

const names = { 1: 'stock', 2: 'units', 3: 'money', 4: 'one of each', 7: 'calls' } as const;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      data: { type: 'string', default: '.data' },
      json: { type: 'boolean', default: false },
      looks: { type: 'string', default: '6' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(usage);
    return 0;
  }
  const looksMax = Number(values.looks);
  if (!Number.isInteger(looksMax) || looksMax < 1)
    throw new Error('--looks must be a whole number from 1 on');
  const running = readRuntime(path.resolve(values.data));
  const settings = { ...process.env, ...running?.env };
  const startedAt = performance.now();
  const { sources, close } = await openAuditSources(settings);
  try {
    const report = await runAudit(sources, {
      looksMax,
      onLook: (look, suspicions) => {
        if (suspicions > 0) process.stderr.write(`look ${look}: ${suspicions} to look at again\n`);
      },
    });
    const tookMs = Math.round(performance.now() - startedAt);
    if (values.json) process.stdout.write(`${JSON.stringify({ ...report, tookMs }, null, 2)}\n`);
    else print(report, tookMs);
    return report.ok ? 0 : 1;
  } finally {
    await close();
  }
}

function print(report: Awaited<ReturnType<typeof runAudit>>, tookMs: number): void {
  const { checked, findings, looksCount } = report;
  const counts = Object.entries(checked).map(([what, count]) => `${count.toLocaleString('en')} ${what}`);
  process.stdout.write(
    `Looked at ${counts.join(', ')} in ${(tookMs / 1_000).toFixed(1)} s, ${looksCount} times.\n`,
  );
  for (const [number, name] of Object.entries(names)) {
    const own = findings.filter(finding => String(finding.invariant) === number);
    process.stdout.write(`${own.length === 0 ? 'ok   ' : 'WRONG'}  ${number}  ${name}\n`);
    for (const finding of own) process.stdout.write(`         ${finding.document}: ${finding.what}\n`);
  }
  process.stdout.write(findings.length === 0 ? 'Nothing found.\n' : `${findings.length} findings.\n`);
}

main().then(
  status => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`audit: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
