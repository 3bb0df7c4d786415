// The client as other projects get it: built, packed, installed in an empty project from the archive alone, with its
// types, and the README's ten lines run against an installation. Nothing is downloaded: what the package asks for is
// linked from here.
import { execFile } from 'node:child_process';
import { mkdtempSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildClientPackage } from '../../scripts/build/client-package.ts';
import { startInstallation, type Installation } from '../../scripts/supervisor/installation.ts';

const root = path.resolve(import.meta.dirname, '../..');
const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-package-'));
const project = path.join(folder, 'project');
const modules = path.join(project, 'node_modules');
let installation: Installation;
let packed: string[] = [];

beforeAll(async () => {
  const starting = startInstallation({
    dataDir: path.join(folder, 'data'),
    port: 0,
    env: { LOG_LEVEL: 'warn' },
  });
  const installing = installPackage();
  const [started, installed] = await Promise.allSettled([starting, installing]);
  if (started.status === 'fulfilled') installation = started.value;
  for (const each of [started, installed]) if (each.status === 'rejected') throw each.reason;
}, 120_000);
afterAll(async () => {
  await installation?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function installPackage(): Promise<void> {
  const built = await buildClientPackage();
  const { out, status } = await run('npm', ['pack', '--json', '--pack-destination', folder], built.folder);
  if (status !== 0) throw new Error(out);
  const archive = /"filename": "([^"]+)"/.exec(out)?.[1] ?? '';
  packed = [...out.matchAll(/"path": "([^"]+)"/g)].map(([, name]) => name ?? '');
  mkdirSync(project);
  writeFileSync(path.join(project, 'package.json'), '{ "name": "empty", "private": true, "type": "module" }');
  const install = [
    'install',
    '--offline',
    '--legacy-peer-deps',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
  ];
  const installed = await run('npm', [...install, path.join(folder, archive)], project);
  if (installed.status !== 0) throw new Error(installed.out);
  // The peers that a project has of its own.
  mkdirSync(path.join(modules, '@types'), { recursive: true });
  for (const name of ['@trpc', 'react', '@types/node', '@types/react', 'undici-types', 'csstype']) {
    symlinkSync(path.join(root, 'node_modules', name), path.join(modules, name));
  }
}

function run(command: string, argv: string[], cwd: string): Promise<{ status: number; out: string }> {
  const env = {
    PATH: process.env['PATH'],
    HOME: folder,
    DOORBUSTER_URL: installation?.url,
    ADMIN_KEY: installation?.adminKey,
  };
  return new Promise(resolve => {
    execFile(command, argv, { cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code ?? 1) : 0, out: `${stdout}${stderr}` });
    });
  });
}

/** Type-checks programs in the project, with the libraries' types checked as well; the lines at fault of each. */
async function check(
  programs: Record<string, string>,
): Promise<{ faults: Record<string, number[]>; out: string }> {
  for (const [name, program] of Object.entries(programs)) writeFileSync(path.join(project, name), program);
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
  writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, include: Object.keys(programs) }),
  );
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const { out } = await run(
    process.execPath,
    [tsc, '--project', project, '--pretty', 'false', '--checkers', '1'],
    project,
  );
  const faults: Record<string, number[]> = {};
  for (const [, name = '', line] of out.matchAll(/^(\S+)\((\d+),\d+\): error/gm)) {
    (faults[name] ??= []).push(Number(line));
  }
  return { faults, out };
}

const typed = `
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

describe('the packed client', () => {
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

  it('is typed in an empty project, and its types refuse what the API does not take or answer', {
    timeout: 120_000,
  }, async () => {
    const wrong = typed
      .replace("hold.kind === 'held'", "hold.kind === 'hold'")
      .replace("mode: 'fifo'", "mode: 'first'")
      .replace('step.pass satisfies string', 'step.pass satisfies number')
      .replace('drop?.lanes[0]?.serving', 'drop?.lanes[0]?.served');
    const { faults, out } = await check({ 'program.ts': typed, 'wrong.ts': wrong });
    expect({ faulty: Object.keys(faults), out }).toMatchObject({ faulty: ['wrong.ts'] });
    expect(new Set(faults['wrong.ts']).size).toBe(4);
  });

  it("runs the README's ten lines", async () => {
    const blocks = readFileSync(path.join(root, 'README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g);
    const program = [...blocks]
      .map(([, code]) => code ?? '')
      .find(code => code.startsWith('// ten-lines.ts'));
    if (program === undefined) throw new Error('the README has no program ten-lines.ts');
    writeFileSync(path.join(project, 'ten-lines.ts'), program);
    const { status, out } = await run(process.execPath, ['ten-lines.ts'], project);
    expect(out.trim().split('\n')).toEqual(expect.arrayContaining(['joined', 'called']));
    expect(status).toBe(0);
  });
});
