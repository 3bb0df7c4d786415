// The web pages, built from client/web into client/web/dist, which the engine serves.
//
// What always holds: `dist` is a whole build or not there at all, because it is built elsewhere and renamed into
// place; and it says of which sources it was made, so that a start builds only what has changed.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

export interface BuiltFile {
  readonly name: string;
  readonly bytes: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
}

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const clientFolder = path.join(root, 'client');
const webFolder = path.join(clientFolder, 'web');
const distFolder = path.join(webFolder, 'dist');
/** Not in `assets/`, and without a known ending: nothing that a page would ask for. */
const stampName = '.sources';

/** The folder that the engine serves. */
export const pagesFolder = distFolder;

/** Builds the pages if their sources are not those of the build that stands. Takes some milliseconds where they are. */
export async function ensurePages(): Promise<{ built: boolean; tookMs: number }> {
  const startedMs = performance.now();
  const isBuilt = readStamp(distFolder) === hashSources();
  if (!isBuilt) await buildPages();
  return { built: !isBuilt, tookMs: Math.round(performance.now() - startedMs) };
}

/** Builds the pages, whatever stands there. Throws where Vite is not installed or the sources do not build. */
export async function buildPages(): Promise<readonly BuiltFile[]> {
  const stamp = hashSources();
  const freshFolder = path.join(root, 'node_modules', '.cache', `doorbuster-pages-${process.pid}`);
  try {
    await runVite(freshFolder);
    const files = compressFiles(freshFolder);
    writeFileSync(path.join(freshFolder, stampName), stamp);
    putInPlace(freshFolder, stamp);
    return files;
  } finally {
    rmSync(freshFolder, { recursive: true, force: true });
  }
}

/** A hash of all that the pages are made of: their sources, the lockfile, and this file, which says how. */
function hashSources(): string {
  const hash = createHash('sha256');
  const files = [...sourcesIn(clientFolder), path.join(root, 'package-lock.json'), import.meta.filename];
  for (const file of files.toSorted()) {
    hash
      .update(`${path.relative(root, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const place = path.join(folder, entry.name);
    if (place === distFolder || entry.name === 'node_modules') return [];
    if (entry.isDirectory()) return sourcesIn(place);
    return entry.isFile() ? [place] : [];
  });
}

function readStamp(folder: string): string | null {
  try {
    return readFileSync(path.join(folder, stampName), 'utf8');
  } catch {
    return null;
  }
}

/**
 * Runs Vite as a program of its own: what it loads would stay in the memory of a supervisor for good, and it takes
 * NODE_ENV for how to build, which in a test would put React's development version on the page.
 */
async function runVite(outFolder: string): Promise<void> {
  const vite = path.join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  if (!existsSync(vite)) {
    throw new Error(
      'The web pages are not built, and Vite is not installed: run `npm run build` where the development packages are',
    );
  }
  const argv = [vite, 'build', '--logLevel', 'warn', '--outDir', outFolder, '--emptyOutDir'];
  const env = { ...process.env, NODE_ENV: 'production' };
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  execFile(process.execPath, argv, { cwd: webFolder, env }, (error, stdout, stderr) => {
    if (error) reject(new Error(`The web pages could not be built:\n${stdout}${stderr}`, { cause: error }));
    else resolve();
  });
  await promise;
}

/** Two builds may end at the same time, in two processes: then either's result will do. */
function putInPlace(freshFolder: string, stamp: string): void {
  const oldFolder = `${freshFolder}-old`;
  mkdirSync(path.dirname(distFolder), { recursive: true });
  try {
    if (existsSync(distFolder)) renameSync(distFolder, oldFolder);
    renameSync(freshFolder, distFolder);
  } catch (error) {
    if (readStamp(distFolder) !== stamp) throw error;
  } finally {
    rmSync(oldFolder, { recursive: true, force: true });
  }
}

/** Writes each text beside itself as .gz and .br: compressed once here, not for each visitor of a crowd. */
function compressFiles(folder: string): BuiltFile[] {
  return filesIn(folder)
    .filter(file => /\.(js|css|html|svg)$/.test(file))
    .map(file => {
      const bytes = readFileSync(file);
      const gzip = gzipSync(bytes, { level: 9 });
      writeFileSync(`${file}.gz`, gzip);
      const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
      writeFileSync(`${file}.br`, brotli);
      return {
        name: path.relative(folder, file),
        bytes: bytes.length,
        gzipBytes: gzip.length,
        brotliBytes: brotli.length,
      };
    });
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => path.join(entry.parentPath, entry.name))
    .toSorted();
}
