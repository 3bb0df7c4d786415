// The client as a package that other projects install: JavaScript and types, made from client/ into dist/package.
//
// The router's type is what makes the client typed, and the server's types lead to everything that the server uses. But
// what the compiler writes for `createApi` spells the whole router out: inputs and outputs need nothing but tRPC's own
// types. So that one type is cut out and stands by itself, without the server's context and without the brands of its
// ids, which are the server's own discipline. Anything else that leads back into the server fails the build.
import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';
import { compilerEnv } from './compiler-env.ts';
import { inlineTypes } from './inline-types.ts';

const root = path.resolve(import.meta.dirname, '..', '..');
const entries = ['index.ts', 'react/index.ts', 'fairness/index.ts'];

const ownPackage = z.object({
  version: z.string(),
  license: z.string(),
  description: z.string(),
  dependencies: z.record(z.string(), z.string()),
});

export const packageFolder = path.join(root, 'dist', 'package');

/** Builds the package, whatever stands there. Throws where something does not compile. */
export async function buildClientPackage(): Promise<{ folder: string; files: string[] }> {
  const work = path.join(path.dirname(packageFolder), `.package-${process.pid}`);
  const fresh = path.join(work, 'package');
  try {
    mkdirSync(fresh, { recursive: true });
    const out = path.join(work, 'out');
    await compile(work, out);
    copyClient(path.join(out, 'client'), fresh);
    writeFileSync(path.join(fresh, 'api.d.ts'), cutOutRouter(path.join(out, 'server', 'api.d.ts')));
    writeFileSync(path.join(fresh, 'package.json'), `${JSON.stringify(describePackage(), null, 2)}\n`);
    writeFileSync(path.join(fresh, 'README.md'), readme);
    copyFileSync(path.join(root, 'LICENSE'), path.join(fresh, 'LICENSE'));
    rmSync(packageFolder, { recursive: true, force: true });
    mkdirSync(path.dirname(packageFolder), { recursive: true });
    renameSync(fresh, packageFolder);
    return { folder: packageFolder, files: filesIn(packageFolder) };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function compile(work: string, out: string): Promise<void> {
  const config = path.join(work, 'tsconfig.json');
  writeFileSync(
    config,
    JSON.stringify({
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: false,
        declaration: true,
        rewriteRelativeImportExtensions: true,
        rootDir: root,
        outDir: out,
        typeRoots: [path.join(root, 'node_modules', '@types')],
      },
      include: [],
      files: entries.map(entry => path.join(root, 'client', entry)),
    }),
  );
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  if (!existsSync(tsc))
    throw new Error('TypeScript is not installed: the package is built where the development packages are');
  try {
    const argv = [tsc, '--project', config, '--checkers', '1'];
    await promisify(execFile)(process.execPath, argv, { cwd: root, env: compilerEnv() });
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : '';
    throw new Error(`The client package could not be compiled:\n${said}`, { cause: error });
  }
}

/** JavaScript as it was made; in types, addresses name the files that will be there. */
function copyClient(from: string, to: string): void {
  for (const file of filesIn(from)) {
    const target = path.join(to, file);
    mkdirSync(path.dirname(target), { recursive: true });
    const text = readFileSync(path.join(from, file), 'utf8');
    if (!file.endsWith('.d.ts')) writeFileSync(target, text);
    else {
      const here = text.replaceAll(/(['"])(?:\.\.\/)+server\/api\.ts\1/g, `'${upwards(file)}api.js'`);
      writeFileSync(target, here.replaceAll(/(['"])(\.{1,2}\/[^'"]+)\.ts\1/g, "'$2.js'"));
    }
    refuseServer(target);
  }
}

function upwards(file: string): string {
  return '../'.repeat(file.split(path.sep).length - 1) || './';
}

const zodBrand = / & import\("zod"\)\.(?:core\.)?\$brand<"[^"]+">/g;

function cutOutRouter(file: string): string {
  const text = readFileSync(file, 'utf8');
  const signature = 'export declare function createApi(parts: ApiParts): ';
  const begin = text.indexOf(signature);
  const end = text.indexOf('\nexport type AppRouter = ');
  if (begin === -1 || end < begin)
    throw new Error('server/api.ts has no longer the shape that the package is cut from');
  const { text: router, declarations } = inlineTypes(
    text
      .slice(begin + signature.length, end)
      // Only the server makes contexts.
      .replaceAll(/import\("\.\/trpc\.ts"\)\.Context/g, 'object')
      .replaceAll(zodBrand, '')
      .replaceAll(/^ +/gm, ''),
    file,
  );
  // Each procedure spells the same errors out again; once is enough.
  const errorShape = /errorShape: ([\s\S]*?);\ntransformer: false;/.exec(router)?.[1];
  if (errorShape === undefined) throw new Error('the router has no shape of errors');
  const api = [
    '// The type of the whole API, as tRPC infers it on the server.',
    ...[...declarations.values()].map(each => each.replaceAll(zodBrand, '')),
    `type ErrorShape = ${errorShape};`,
    `export type AppRouter = ${router.replaceAll(errorShape, 'ErrorShape')}`,
    '',
  ].join('\n');
  const foreign = /import\("(?!@trpc\/server"|@trpc\/server\/)[^"]*"\)[.\w]*/.exec(api);
  if (foreign) throw new Error(`The API's type leads to ${foreign[0]}, which the package does not bring`);
  return api;
}

function refuseServer(file: string): void {
  const found = /(?:from|import)\s*\(?\s*['"][^'"]*\/server\/(?!observable)[^'"]*['"]/.exec(
    readFileSync(file, 'utf8'),
  );
  if (found) throw new Error(`${path.basename(file)} leads into the server: ${found[0]}`);
}

function describePackage(): object {
  const { version, license, dependencies, description } = ownPackage.parse(
    JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')),
  );
  const entry = (file: string) => ({ types: `./${file}.d.ts`, default: `./${file}.js` });
  return {
    name: 'doorbuster',
    version,
    description,
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20' },
    exports: {
      '.': entry('index'),
      './react': entry('react/index'),
      './fairness': entry('fairness/index'),
      './api': { types: './api.d.ts' },
      './package.json': './package.json',
    },
    peerDependencies: {
      '@trpc/client': dependencies['@trpc/client'],
      '@trpc/server': dependencies['@trpc/server'],
      react: '>=18',
    },
    peerDependenciesMeta: { react: { optional: true } },
  };
}

const readme = `# doorbuster

The typed client of the flash-sale engine Doorbuster, for browsers and for Node.

- \`doorbuster\`: \`createDoorbuster({ url })\`, which gives \`api\` (the unmodified \`@trpc/client\`, typed by the engine's
  router) and around it sessions, live drops, the way through the queue, checkout, and the engine's clock.
- \`doorbuster/react\`: \`DoorbusterProvider\`, \`useDrop\`, \`useQueue\`, \`useCountdown\`, \`useOrder\`.
- \`doorbuster/api\`: the type \`AppRouter\`, for a client of your own.
- \`doorbuster/fairness\`: what a page needs to check ranks by itself.

Updates come over a WebSocket, or over Server-Sent Events where something on the way lets no WebSocket through.
`;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .toSorted();
}
