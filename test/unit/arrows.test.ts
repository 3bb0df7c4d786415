// The arrows of the design (who may import whom) are kept by lint rules. A rule that has lost its bite looks
// just like clean code, so each is shown a file that breaks it, and one that does not.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const oxlint = path.join(root, 'node_modules/oxlint/bin/oxlint');

const refused = {
  'the engine imports an embedded service': {
    'server/platform/redis.ts': "import { main } from '../embedded/redis/main.ts';\nexport const x = main;\n",
  },
  'the composition root imports an embedded service': {
    'server/main.ts': "import { main } from './embedded/redis/main.ts';\nexport const x = main;\n",
  },
  "a capability imports another one's store": {
    'server/queue/queue.router.ts':
      "import { orders } from '../orders/order.store.ts';\nexport const x = orders;\n",
  },
  "a capability imports a type of another one's store": {
    'server/queue/queue.router.ts':
      "import type { Orders } from '../orders/order.store.ts';\nexport type X = Orders;\n",
  },
  'rules import their own store': {
    'server/queue/queue.rules.ts': "import { store } from './queue.store.ts';\nexport const x = store;\n",
  },
  'rules import a package': {
    'server/queue/queue.rules.ts': "import Redis from 'ioredis';\nexport const x = Redis;\n",
  },
  'rules import a part of Node': {
    'server/queue/queue.rules.ts':
      "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n",
  },
  'the client imports a value of the API': {
    'client/index.ts': "import { appRouter } from '../server/api.ts';\nexport const x = appRouter;\n",
  },
  'the client imports a type of something else in the server': {
    'client/index.ts': "import type { Limits } from '../server/limits.ts';\nexport type X = Limits;\n",
  },
  'a page imports from the depth of the server': {
    'client/web/src/page.tsx':
      "import { rank } from '../../../server/queue/queue.rules.ts';\nexport const x = rank;\n",
  },
};

const accepted = {
  'a capability imports its own store': {
    'server/queue/queue.router.ts': "import { store } from './queue.store.ts';\nexport const x = store;\n",
  },
  'the composition root imports a store': {
    'server/main.ts': "import { store } from './queue/queue.store.ts';\nexport const x = store;\n",
  },
  'rules import other rules, a pure part of the client, the bounds, and types': {
    'server/queue/queue.rules.ts': [
      "import { total } from '../orders/order.rules.ts';",
      "import { permute } from '../../client/fairness/permutation.ts';",
      "import type { DropId } from '../ids.ts';",
      "import { linesMax } from '../limits.ts';",
      'export const x = [total, permute, linesMax];',
      'export type X = DropId;\n',
    ].join('\n'),
  },
  'the client imports the type of the API': {
    'client/index.ts': "import type { AppRouter } from '../server/api.ts';\nexport type X = AppRouter;\n",
  },
};

describe('the lint rules for the arrows', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-arrows-'));
  });
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(Object.entries(refused))('refuse it when %s', (name, files) => {
    const { status, output } = lint(plant(folder, name, files));
    expect(output).toContain('no-restricted-imports');
    expect(status).toBe(1);
  });

  it.each(Object.entries(accepted))('let it pass when %s', (name, files) => {
    const { status, output } = lint(plant(folder, name, files));
    expect(output).not.toContain('no-restricted-imports');
    expect(status).toBe(0);
  });
});

function plant(folder: string, name: string, files: Record<string, string>): string {
  const project = path.join(folder, name.replaceAll(/\W+/g, '-'));
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(project, file)), { recursive: true });
    writeFileSync(path.join(project, file), text);
  }
  copyFileSync(path.join(root, '.oxlintrc.json'), path.join(project, '.oxlintrc.json'));
  return project;
}

function lint(project: string): { status: number | null; output: string } {
  return run(['--format=unix', '.'], project);
}

function run(args: string[], cwd: string): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [oxlint, ...args], {
    cwd,
    encoding: 'utf8',
  });
  return { status, output: `${stdout}${stderr}` };
}
