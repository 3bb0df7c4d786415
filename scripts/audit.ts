// `npm run audit`: checks what must always hold on a running installation. Reads only; exit status 1 on a violation.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { runAudit, type AuditSources } from '../server/audit/audit.ts';
import type { Finding } from '../server/audit/finding.ts';
import { paceSources } from '../server/audit/pace-sources.ts';
import { openAuditSources } from './audit/sources.ts';
import { readRuntime } from './supervisor/runtime.ts';

const usage = `npm run audit -- [options]

Checks a running installation, over Redis, MongoDB and Stripe, reading only:
   1  the stock adds up: what is sold is what paid orders own, what is held is what holds hold
   2  no unit is sold twice, each serial is there once, no order that ended unpaid keeps a unit
   3  no payment is captured without its units, no paid order is lost, the books agree
   4  one order for each hold, one payment and one capture for each order
   5  holds that ran out were returned
   6  nobody has more than one buyer, or one card, may have
   7  the call log is whole, nobody was called out of turn or after the end
   9  nothing that was acknowledged is lost or left lying
  10  no id stands for two different things
  11  no order's status went back
  12  seed, lobby and key are what the drop committed itself to
  13  nobody who paid in time goes without
Not 8, whether holds and releases are linearizable: no installation keeps their history.

  --data DIR   the data folder of the installation started here (.data)
  --json       the report as JSON
  --looks N    how often to look again at what seems wrong before calling it a finding (6)
  --help       this text

Where no installation was started from this folder, the settings come from the environment:
REDIS_URL, MONGODB_URI, STRIPE_SECRET_KEY and, for the stand-in, STRIPE_API_BASE.
Exit status: 0 nothing found, 1 a violation, 2 it could not look.
`;

const names: Record<Finding['invariant'], string> = {
  1: 'stock',
  2: 'units',
  3: 'money',
  4: 'one of each',
  5: 'returned holds',
  6: 'limits',
  7: 'calls',
  9: 'nothing lost',
  10: 'one id, one thing',
  11: 'status',
  12: 'proof',
  13: 'served in time',
};
/** Documents between two steps of the bar. */
const portionCount = 500;

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
    const bar = await startBar(sources);
    const report = await runAudit(
      paceSources(sources, portionCount, read => bar?.increment(read)),
      {
        looksMax,
        onLook(look, suspicions) {
          if (!bar && suspicions > 0) process.stderr.write(`look ${look}: ${suspicions} to look at again\n`);
          if (suspicions > 0 && look < looksMax) bar?.update(0, { look: look + 1 });
        },
      },
    );
    bar?.stop();
    const spent = {
      tookMs: Math.round(performance.now() - startedAt),
      // Of this process, with Node's own 60 MiB or so.
      peakMemoryMib: Math.round(process.resourceUsage().maxRSS / 1_024),
    };
    if (values.json) process.stdout.write(`${JSON.stringify({ ...report, ...spent }, null, 2)}\n`);
    else print(report, spent);
    return report.ok ? 0 : 1;
  } finally {
    await close();
  }
}

/** How far a look is, on a terminal; it starts again with each look. */
async function startBar(sources: AuditSources): Promise<SingleBar | null> {
  if (!process.stderr.isTTY) return null;
  const bar = new SingleBar({
    format: 'look {look} [{bar}] {value} / about {total} documents',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
    fps: 5,
  });
  bar.start(Math.max(1, await sources.countDocuments()), 0, { look: 1 });
  return bar;
}

function print(
  report: Awaited<ReturnType<typeof runAudit>>,
  { tookMs, peakMemoryMib }: { tookMs: number; peakMemoryMib: number },
): void {
  const { checked, findings, looksCount } = report;
  const counts = Object.entries(checked).map(([what, count]) => `${count.toLocaleString('en')} ${what}`);
  process.stdout.write(
    `Looked at ${counts.join(', ')}, ${looksCount} ${looksCount === 1 ? 'time' : 'times'}.\n`,
  );
  for (const [number, name] of Object.entries(names)) {
    const own = findings.filter(finding => String(finding.invariant) === number);
    process.stdout.write(`${own.length === 0 ? 'ok   ' : 'WRONG'}  ${number.padStart(2)}  ${name}\n`);
    for (const finding of own) process.stdout.write(`         ${finding.document}: ${finding.what}\n`);
  }
  process.stdout.write(findings.length === 0 ? 'Nothing found.\n' : `${findings.length} findings.\n`);
  process.stdout.write(`${(tookMs / 1_000).toFixed(1)} s, at most ${peakMemoryMib} MiB of memory.\n`);
}

main().then(
  status => process.exit(status),
  (error: unknown) => {
    process.stderr.write(`audit: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
