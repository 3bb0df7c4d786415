// Programs outside the project: the README's two, with the project's own client and with @trpc/client and the router's
// type, and one with nothing but fetch and a WebSocket. The README's are read from the README, so that they cannot rot.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';

const root = path.resolve(import.meta.dirname, '../..');
const outside = mkdtempSync(path.join(tmpdir(), 'doorbuster-outside-'));
/** A project that has the README's programs and the packages that they name. */
const typed = path.join(outside, 'typed');
let installation: Installation;

beforeAll(async () => {
  mkdirSync(path.join(typed, 'node_modules'), { recursive: true });
  symlinkSync(root, path.join(typed, 'node_modules/doorbuster'));
  symlinkSync(path.join(root, 'node_modules/@trpc'), path.join(typed, 'node_modules/@trpc'));
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
  const blocks = readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
  const program = [...blocks].map(([, code]) => code ?? '').find(code => code.startsWith(`// ${name}`));
  if (!program) throw new Error(`the README has no program ${name}`);
  return program;
}

async function runProgram(argv: string[], folder: string): Promise<{ status: number | null; out: string }> {
  const child = spawn(process.execPath, argv, {
    cwd: folder,
    env: { PATH: process.env['PATH'], DOORBUSTER_URL: installation.url, ADMIN_KEY: installation.adminKey },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (out += chunk.toString()));
  const status = await new Promise<number | null>(resolve => child.on('close', resolve));
  return { status, out };
}

describe('a program outside the project', () => {
  it("lines a buyer up with the project's own client, in ten lines, as the README shows", async () => {
    const { status, out } = await runProgram(['ten-lines.ts'], typed);
    expect(out).toMatch(/^joined\n(lobby\n)?(waiting\n)?called\n$/);
    expect(status).toBe(0);
    const lines = readmeProgram('ten-lines.ts').split('\n');
    expect(lines.filter(line => line !== '' && !/^(import |\/\/)/.test(line))).toHaveLength(10);
  }, 60_000);

  it("buys with @trpc/client and the router's type, as the README shows, and both programs type-check", async () => {
    const { status, out } = await runProgram(['buy.ts'], typed);
    expect(out).toMatch(/paid: number 1 of 2/);
    expect(status).toBe(0);

    writeFileSync(
      path.join(typed, 'tsconfig.json'),
      JSON.stringify({
        extends: path.join(root, 'tsconfig.json'),
        compilerOptions: { typeRoots: [path.join(root, 'node_modules/@types')] },
        include: ['*.ts'],
      }),
    );
    // The types are real: a kind that `hold.place` never answers with is refused, and nothing else is.
    writeFileSync(path.join(typed, 'wrong.ts'), readmeProgram('buy.ts').replace("'held'", "'hold'"));
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    const checked = await runProgram([tsc, '-p', typed, '--pretty', 'false', '--checkers', '1'], typed);
    const faulty = [...checked.out.matchAll(/^(\S+)\(\d+,\d+\): error/gm)].map(([, name]) => name);
    expect({ faulty: new Set(faulty), out: checked.out }).toMatchObject({ faulty: new Set(['wrong.ts']) });
  }, 180_000);

  it('buys with nothing but fetch and a bare WebSocket', async () => {
    const { status, out } = await runProgram([path.join(root, 'test/outsiders/bare.mjs')], outside);
    expect(out).toContain('"status":"paid"');
    expect(out).toContain('"total":{"amount":3900,"currency":"EUR"}');
    expect(status).toBe(0);
  }, 60_000);
});
