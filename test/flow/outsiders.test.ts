// Programs outside the project make a whole purchase: the README's, with @trpc/client and the router's type, and one
// with nothing but fetch and a WebSocket. The README's program is read from the README, so that it cannot rot.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';

const root = path.resolve(import.meta.dirname, '../..');
const outside = mkdtempSync(path.join(tmpdir(), 'doorbuster-outside-'));
let installation: Installation;

beforeAll(async () => {
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
  it("buys with @trpc/client and the router's type, as the README shows, and type-checks", async () => {
    const folder = path.join(outside, 'typed');
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    symlinkSync(root, path.join(folder, 'node_modules/doorbuster'));
    symlinkSync(path.join(root, 'node_modules/@trpc'), path.join(folder, 'node_modules/@trpc'));
    writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }');
    writeFileSync(path.join(folder, 'buy.ts'), readmeProgram('buy.ts'));
    const { status, out } = await runProgram(['buy.ts'], folder);
    expect(out).toMatch(/paid: number 1 of 2/);
    expect(status).toBe(0);

    writeFileSync(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({
        extends: path.join(root, 'tsconfig.json'),
        compilerOptions: { typeRoots: [path.join(root, 'node_modules/@types')] },
        include: ['buy.ts'],
      }),
    );
    const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
    expect(await runProgram([tsc, '-p', folder], folder)).toEqual({ status: 0, out: '' });
    // The types are real: a kind that `hold.place` never answers with is refused.
    writeFileSync(path.join(folder, 'buy.ts'), readmeProgram('buy.ts').replace("'held'", "'hold'"));
    expect((await runProgram([tsc, '-p', folder], folder)).status).not.toBe(0);
  }, 180_000);

  it('buys with nothing but fetch and a bare WebSocket', async () => {
    const { status, out } = await runProgram([path.join(root, 'test/outsiders/bare.mjs')], outside);
    expect(out).toContain('"status":"paid"');
    expect(out).toContain('"total":{"amount":3900,"currency":"EUR"}');
    expect(status).toBe(0);
  }, 60_000);
});
