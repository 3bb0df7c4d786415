// What must hold before any test is run: lint, types, format, the Lua, and that the pages can be built. All run at the same
// time, and each is reported, whatever the others found.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { compilerEnv } from '../build/compiler-env.ts';
import { ensurePages } from '../build/pages.ts';
import { checkLua } from './check-lua.ts';
import { type ProgramResult, runProgram } from './run-program.ts';

export type CheckResult = { name: string; ok: boolean; output: string; tookMs: number };

/** `machineReady`: from when on the system's package manager is free for what a check itself has to install. */
export async function runChecks(
  root: string,
  machineReady: Promise<unknown> = Promise.resolve(),
): Promise<CheckResult[]> {
  const bin = (...place: string[]) => path.join(root, 'node_modules', ...place);
  const env = compilerEnv();
  const node = (...args: string[]) => runProgram([process.execPath, ...args], { cwd: root, env });
  const tsc = bin('typescript', 'bin', 'tsc');
  // The checks run beside one another; several checkers within one of them would only do its work several times.
  const types = (project: string) => node(tsc, '--project', project, '--checkers', '1');
  const checks: [string, () => Promise<ProgramResult>][] = [
    ['lint', () => node(bin('oxlint', 'bin', 'oxlint'), '--type-aware', '--deny-warnings')],
    ['types', () => types(root)],
    ['format', () => node(bin('@biomejs', 'biome', 'bin', 'biome'), 'format', '--max-diagnostics=20', '.')],
    ['pages', buildNewPages],
  ];
  const webConfig = path.join(root, 'client', 'web', 'tsconfig.json');
  if (existsSync(webConfig)) checks.push(['types of the pages', () => types(webConfig)]);
  const lua = machineReady.then(() => timed('lua', () => checkLua(path.join(root, 'lua'))));
  return Promise.all([...checks.map(([name, check]) => timed(name, check)), lua]);
}

/** Builds them only where their sources have changed. */
async function buildNewPages(): Promise<ProgramResult> {
  try {
    await ensurePages();
    return { ok: true, output: '' };
  } catch (error) {
    return { ok: false, output: error instanceof Error ? error.message : String(error) };
  }
}

/** The report of a check as lines for the terminal; the findings only where there are any. */
export function describeCheck({ name, ok, output, tookMs }: CheckResult): string {
  const head = `${ok ? 'ok    ' : 'FAILED'} ${name} (${(tookMs / 1000).toFixed(1)} s)`;
  return ok ? head : `${head}\n${output.trimEnd()}\n`;
}

async function timed(name: string, check: () => Promise<ProgramResult>): Promise<CheckResult> {
  const startedMs = performance.now();
  const { ok, output } = await check();
  return { name, ok, output, tookMs: performance.now() - startedMs };
}
