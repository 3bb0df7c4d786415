// How much script a visitor's browser loads before the drop page can be used: the document's entry, the drop page's own
// part, one language, and whatever these import. What comes later (the checkout while one waits, the fairness check) is
// not waited for. In a crowd on phones this is what decides who sees the queue first, so it is held under a bound.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { BuiltFile } from './pages.ts';

/** Compressed as browsers get it. At 1.6 Mbit/s (a crowded cell) this is 0.6 s of loading. */
export const dropPageScriptsBytesMax = 120 * 1_000;

const entries = ['index.html', 'drop/drop-page.tsx', 'texts/en.ts'] as const;

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
}
export type Manifest = Readonly<Record<string, Chunk>>;

export function readManifest(pagesFolder: string): Manifest {
  return JSON.parse(readFileSync(path.join(pagesFolder, '.vite', 'manifest.json'), 'utf8'));
}

/** The files by name; throws where an entry is missing, which would make the sum too small. */
export function dropPageScripts(manifest: Manifest): readonly string[] {
  const found = new Set<string>();
  const visit = (name: string) => {
    const chunk = manifest[name];
    if (!chunk) throw new Error(`The pages were built without ${name}`);
    if (found.has(chunk.file)) return;
    found.add(chunk.file);
    for (const imported of chunk.imports ?? []) visit(imported);
  };
  for (const name of entries) visit(name);
  return [...found];
}

export interface ScriptsSize {
  readonly filesCount: number;
  readonly gzipBytes: number;
  readonly brotliBytes: number;
  readonly isWithin: boolean;
}

export function dropPageScriptsSize(manifest: Manifest, files: readonly BuiltFile[]): ScriptsSize {
  const byName = new Map(files.map(file => [file.name, file]));
  let gzipBytes = 0;
  let brotliBytes = 0;
  const names = dropPageScripts(manifest);
  for (const name of names) {
    const file = byName.get(name);
    if (!file) throw new Error(`${name} is in the manifest, and was not built`);
    gzipBytes += file.gzipBytes;
    brotliBytes += file.brotliBytes;
  }
  const isWithin = brotliBytes <= dropPageScriptsBytesMax;
  return { filesCount: names.length, gzipBytes, brotliBytes, isWithin };
}
