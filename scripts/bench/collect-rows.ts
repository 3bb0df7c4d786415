// Finds the rows: every `bench/*.ts` that exports `rows`.
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BenchRow } from '../../bench/row.ts';
import { SetupError } from '../setup/setup-error.js';

const folder = path.resolve(import.meta.dirname, '../../bench');

export async function collectRows(only: readonly string[]): Promise<BenchRow[]> {
  const all: BenchRow[] = [];
  for (const file of readdirSync(folder).toSorted()) {
    if (!file.endsWith('.ts') || file === 'row.ts') continue;
    const module: { rows?: BenchRow[] } = await import(pathToFileURL(path.join(folder, file)).href);
    if (!module.rows) throw new Error(`bench/${file} exports no rows`);
    all.push(...module.rows);
  }
  const names = all.map(row => row.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new Error(`two rows of bench/ are called ${twice}`);
  for (const pattern of only) {
    if (!names.some(name => isNamed(name, pattern))) {
      throw new SetupError(`There is no row "${pattern}". There are: ${names.join(', ')}.`);
    }
  }
  return only.length === 0 ? all : all.filter(row => only.some(pattern => isNamed(row.name, pattern)));
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
