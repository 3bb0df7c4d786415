// Programs outside the project: the README's two, with the project's own client and with @trpc/client and the router's
// type, and one with nothing but fetch and a WebSocket. The README's are read from the README, so that they cannot rot.
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { project, runProgram } from '../support/run-program.ts';

const outside = mkdtempSync(path.join(tmpdir(), 'doorbuster-outside-'));
/** A project that has the README's programs and the packages that they name. */
const typed = path.join(outside, 'typed');
let installation: Installation;

beforeAll(async () => {
  mkdirSync(path.join(typed, 'node_modules'), { recursive: true });
  symlinkSync(project, path.join(typed, 'node_modules/doorbuster'));
  symlinkSync(path.join(project, 'node_modules/@trpc'), path.join(typed, 'node_modules/@trpc'));
  writeFileSync(path.join(typed, 'package.json'), '{ "type": "module" }');
  for (const name of ['ten-lines.ts', 'buy.ts']) writeFileSync(path.join(typed, name), readmeProgram(name));
  installation = await startInstallation({ dataDir: path.join(outside, 'data'), port: 0 });
}, 120_000);
afterAll(async () => {
  await installation?.stop();
  rmSync(outside, { recursive: true, force: true });
});

/** The README's code block whose first line names that file. */
function readmeProgram(name: string): string {
  const blocks = readFileSync(path.join(project, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
  const program = [...blocks].map(([, code]) => code ?? '').find(code => code.startsWith(`// ${name}`));
  if (!program) throw new Error(`the README has no program ${name}`);
  return program;
}

const runOutside = (argv: string[], cwd: string) =>
  runProgram(argv, {
    cwd,
    env: { DOORBUSTER_URL: installation.url, ADMIN_KEY: installation.adminKey },
  });

describe('a program outside the project', () => {
  it("lines a buyer up with the project's own client, in ten lines, as the README shows", async () => {
    const { status, output } = await runOutside(['ten-lines.ts'], typed);
    expect(output).toMatch(/^joined\n(lobby\n)?(waiting\n)?called\n$/);
    expect(status).toBe(0);
    const lines = readmeProgram('ten-lines.ts').split('\n');
    expect(lines.filter(line => line !== '' && !/^(import |\/\/)/.test(line))).toHaveLength(10);
  }, 60_000);

  it("buys with @trpc/client and the router's type, as the README shows, and both programs type-check", async () => {
    const { status, output } = await runOutside(['buy.ts'], typed);
    expect(output).toMatch(/paid: number 1 of 2/);
    expect(status).toBe(0);

    writeFileSync(
      path.join(typed, 'tsconfig.json'),
      JSON.stringify({
        extends: path.join(project, 'tsconfig.json'),
        compilerOptions: { typeRoots: [path.join(project, 'node_modules/@types')] },
        include: ['*.ts'],
      }),
    );
    // The types are real: a kind that `hold.place` never answers with is refused, and nothing else is.
    writeFileSync(path.join(typed, 'wrong.ts'), readmeProgram('buy.ts').replace("'held'", "'hold'"));
    const tsc = path.join(project, 'node_modules/typescript/bin/tsc');
    const checked = await runOutside([tsc, '-p', typed, '--pretty', 'false', '--checkers', '1'], typed);
    const faulty = [...checked.output.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map(([, name]) => name);
    expect({ faulty: new Set(faulty), out: checked.output }).toMatchObject({ faulty: new Set(['wrong.ts']) });
  }, 180_000);

  it('buys with nothing but fetch and a bare WebSocket', async () => {
    const { status, output } = await runOutside([path.join(project, 'test/outsiders/bare.mjs')], outside);
    expect(output).toContain('"status":"paid"');
    expect(output).toContain('"total":{"amount":3900,"currency":"EUR"}');
    expect(status).toBe(0);
  }, 60_000);
});
