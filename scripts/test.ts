// `npm test`: makes the machine ready and checks lint, types, format, Lua and pages, then every test. Arguments go to
// Vitest, as filters: `npm test -- test/unit`. The last line says what it came to, however it came to it.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CheckResult, describeCheck, runChecks } from './check/run-checks.ts';
import { requireChromium } from './setup/chromium.ts';
import { prepareRedisServer } from './setup/redis-server.ts';
import { closingLine, countResults, type Totals } from './test/count-results.ts';

const root = path.resolve(import.meta.dirname, '..');

async function main(filters: string[]): Promise<Totals> {
  // Most checks need nothing of the machine's set-up, which waits for downloads most of its time: they go on meanwhile.
  const preparing = prepareMachine();
  const [machine, checked] = await Promise.all([preparing, runChecks(root, preparing)]);
  const checks = [...machine.filter(each => !each.ok), ...checked];
  for (const check of checks) process.stdout.write(`${describeCheck(check)}\n`);
  const { status, report } = await runVitest(filters);
  return countResults({ checks, report, status });
}

/** One after the other: the system's package manager works for one at a time. */
async function prepareMachine(): Promise<CheckResult[]> {
  return [
    await machineCheck('redis-server', async () => {
      await prepareRedisServer();
    }),
    await machineCheck('chromium', async () => {
      process.env['CHROMIUM_PATH'] = await requireChromium();
    }),
  ];
}

/** Part of the set-up; it counts only where it fails, with its reason, so that nothing is skipped in silence. */
async function machineCheck(name: string, prepare: () => Promise<void>): Promise<CheckResult> {
  const startedMs = performance.now();
  const result = (ok: boolean, output: string): CheckResult => ({
    name,
    ok,
    output,
    tookMs: performance.now() - startedMs,
  });
  try {
    await prepare();
    return result(true, '');
  } catch (error) {
    return result(false, error instanceof Error ? error.message : String(error));
  }
}

async function runVitest(filters: string[]): Promise<{ status: number; report: string | undefined }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-test-'));
  const file = path.join(folder, 'report.json');
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  try {
    const status = await new Promise<number>(resolve => {
      const child = spawn(process.execPath, [vitest, 'run', '--root', root, ...reporters, ...filters], {
        cwd: root,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
        process.on(signal, () => child.kill(signal));
      process.on('disconnect', () => child.kill('SIGTERM'));
      child.on('error', error => {
        process.stderr.write(`Vitest could not be started: ${error.message}\n`);
        resolve(127);
      });
      child.on('exit', code => resolve(code ?? 1));
    });
    return { status, report: readIfThere(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

let totals: Totals = { passed: 0, failed: 1, skipped: 0 };
try {
  totals = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
}
process.stdout.write(`\n${closingLine(totals)}\n`);
process.exit(totals.failed === 0 ? 0 : 1);
