// Programs outside the project: the README's two, with the project's own client and with @trpc/client and the router's
// type; one with nothing but fetch and a WebSocket; and the client as other projects get it: built, packed, and installed
// in an empty project from the archive alone. The README's programs are read from the README, so that they cannot rot.
// Nothing is downloaded: what a package asks for is linked from here.
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildClientPackage } from '../../scripts/build/client-package.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';
import { project, runProgram } from '../support/run-program.ts';

const outside = mkdtempSync(path.join(tmpdir(), 'doorbuster-outside-'));
/** A project that has the README's programs and the packages that they name. */
const typed = path.join(outside, 'typed');
/** A project that has the packed client, and the peers that a project has of its own. */
const empty = path.join(outside, 'empty');
let installation: Installation;

beforeAll(async () => {
  link(typed, { '.': 'doorbuster', 'node_modules/@trpc': '@trpc' });
  writeFileSync(path.join(typed, 'package.json'), '{ "type": "module" }');
  for (const name of ['ten-lines.ts', 'buy.ts']) writeFileSync(path.join(typed, name), readmeProgram(name));
  installation = await startInstallation({
    dataDir: path.join(outside, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn' },
  });
}, 120_000);
afterAll(async () => {
  await installation?.stop();
  rmSync(outside, { recursive: true, force: true });
});

/** Has packages of this project among those of another. */
function link(folder: string, names: Record<string, string>): void {
  for (const [from, name] of Object.entries(names)) {
    const place = path.join(folder, 'node_modules', name);
    mkdirSync(path.dirname(place), { recursive: true });
    symlinkSync(path.join(project, from), place);
  }
}

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

/** Each face of the package, used as its types say. */
const usesAll = `
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { createDoorbuster, failureOf, type Doorbuster } from 'doorbuster';
import type { AppRouter } from 'doorbuster/api';
import { lobbyRanks } from 'doorbuster/fairness';
import { DoorbusterProvider, useCountdown, useDrop, useOrder, useQueue } from 'doorbuster/react';
const shop: Doorbuster = createDoorbuster({ url: 'http://localhost', transport: 'sse' });
const own = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: 'http://localhost/trpc' })] });
const { dropId } = await own.admin.drop.create.mutate({
  title: 'A drop', mode: 'fifo', opensAtMs: 0, items: [{ sku: 'A', total: 1 }],
  perBuyerMax: 1, ratePerSec: 1, activeMax: 1,
});
const id: string = dropId;
const hold = await shop.api.hold.place.mutate({ holdId: id, pass: '', quote: '' });
if (hold.kind === 'held') hold.expiresAtMs satisfies number;
for await (const step of shop.joinAndWait({ dropId })) if (step.kind === 'called') step.pass satisfies string;
for await (const { items } of shop.watchDrop(dropId)) items[0]?.available satisfies number | undefined;
for await (const seconds of shop.countdown({ toMs: 0 })) seconds satisfies number;
export function Page() {
  const { drop } = useDrop(id);
  drop?.lanes[0]?.serving satisfies number | undefined;
  useOrder(null).order?.status satisfies string | undefined;
  useCountdown(0) satisfies number | null;
  return [useQueue({ dropId: id }).place?.ahead, DoorbusterProvider, lobbyRanks, failureOf];
}
`;

describe('a program outside the project', () => {
  it("lines a buyer up with the project's own client, in ten lines, as the README shows", async () => {
    const { status, output } = await runOutside(['ten-lines.ts'], typed);
    expect(output).toMatch(/^joined\n(lobby\n)?(waiting\n)?called\n$/);
    expect(status).toBe(0);
    const lines = readmeProgram('ten-lines.ts').split('\n');
    expect(lines.filter(line => line !== '' && !/^(import |\/\/)/.test(line))).toHaveLength(10);
  }, 60_000);

  it("buys with @trpc/client and the router's type, as the README shows", async () => {
    const { status, output } = await runOutside(['buy.ts'], typed);
    expect(output).toMatch(/paid: number 1 of 2/);
    expect(status).toBe(0);
  }, 60_000);

  it('buys with nothing but fetch and a bare WebSocket', async () => {
    const { status, output } = await runOutside([path.join(project, 'test/outsiders/bare.mjs')], outside);
    expect(output).toContain('"status":"paid"');
    expect(output).toContain('"total":{"amount":3900,"currency":"EUR"}');
    expect(status).toBe(0);
  }, 60_000);
});

describe('the packed client', () => {
  const packedSchema = z.tuple([
    z.object({ filename: z.string(), files: z.array(z.object({ path: z.string() })) }),
  ]);
  let packed: string[] = [];

  beforeAll(async () => {
    const env = { PATH: process.env['PATH'], HOME: outside };
    const npm = (argv: string[], cwd: string) => promisify(execFile)('npm', argv, { cwd, env });
    const built = await buildClientPackage();
    const pack = await npm(['pack', '--json', '--pack-destination', outside], built.folder);
    const [archive] = packedSchema.parse(JSON.parse(pack.stdout));
    packed = archive.files.map(file => file.path);
    mkdirSync(empty);
    writeFileSync(path.join(empty, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }');
    const alone = ['--offline', '--legacy-peer-deps', '--ignore-scripts', '--no-audit', '--no-fund'];
    await npm(['install', ...alone, path.join(outside, archive.filename)], empty);
    const peers = ['@trpc', 'react', '@types/node', '@types/react', 'undici-types', 'csstype'];
    link(empty, Object.fromEntries(peers.map(name => [`node_modules/${name}`, name])));
  }, 120_000);

  it('brings JavaScript, types and nothing of the server', () => {
    expect(packed).toEqual(
      expect.arrayContaining([
        'index.js',
        'index.d.ts',
        'api.d.ts',
        'react/index.js',
        'fairness/index.js',
        'LICENSE',
      ]),
    );
    expect(packed.filter(name => /server|web|\.ts$/.test(name) && !name.endsWith('.d.ts'))).toEqual([]);
  });

  it('types a program of each face and the README’s, and refuses what the API does not take or answer', async () => {
    const buy = readmeProgram('buy.ts');
    const programs = {
      'faces.ts': usesAll,
      'ten-lines.ts': readmeProgram('ten-lines.ts'),
      'buy.ts': buy,
      'wrong-faces.ts': usesAll
        .replace("hold.kind === 'held'", "hold.kind === 'hold'")
        .replace("mode: 'fifo'", "mode: 'first'")
        .replace('step.pass satisfies string', 'step.pass satisfies number')
        .replace('drop?.lanes[0]?.serving', 'drop?.lanes[0]?.served'),
      'wrong-buy.ts': buy.replace("'held'", "'hold'"),
    };
    for (const [name, program] of Object.entries(programs)) writeFileSync(path.join(empty, name), program);
    const compilerOptions = {
      target: 'es2023',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      // Whoever installs the package checks it, too; it must hold by itself.
      skipLibCheck: false,
      allowImportingTsExtensions: true,
      types: ['node'],
      lib: ['es2024', 'dom', 'dom.iterable', 'esnext'],
    };
    const config = { compilerOptions, include: Object.keys(programs) };
    writeFileSync(path.join(empty, 'tsconfig.json'), JSON.stringify(config));
    const tsc = path.join(project, 'node_modules/typescript/bin/tsc');
    const { output } = await runOutside([tsc, '-p', empty, '--pretty', 'false', '--checkers', '1'], empty);
    const faults = [...output.matchAll(/^(\S+\(\d+),\d+\): error/gm)].map(([, place = '']) => place);
    const faultsOf = (name: string) => new Set(faults.filter(place => place.startsWith(`${name}(`))).size;
    expect({ faulty: new Set(faults.map(place => place.split('(')[0])), output }).toMatchObject({
      faulty: new Set(['wrong-faces.ts', 'wrong-buy.ts']),
    });
    expect([faultsOf('wrong-faces.ts'), faultsOf('wrong-buy.ts') > 0]).toEqual([4, true]);
  }, 120_000);

  it('runs the README’s ten lines', async () => {
    const { status, output } = await runOutside(['ten-lines.ts'], empty);
    expect(output.trim().split('\n')).toEqual(expect.arrayContaining(['joined', 'called']));
    expect(status).toBe(0);
  });
});
