// The results as a table for people, and what they were measured on.
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import path from 'node:path';
import type { RowResult } from './run-row.ts';
import { figure } from './run-row.ts';

export interface Surroundings {
  /** The commit, with `-dirty` where files differ from it. */
  readonly commit: string;
  readonly node: string;
  readonly machine: string;
}

export function describeSurroundings(): Surroundings {
  const model = cpus()[0]?.model.trim() ?? 'unknown';
  const memory = Math.round(totalmem() / 2 ** 30);
  const load = loadavg()[0]?.toFixed(1) ?? '?';
  return {
    commit: commit(),
    node: process.version,
    machine: `${availableParallelism()} × ${model}, ${memory} GiB, ${process.platform}, load ${load} at start`,
  };
}

function commit(): string {
  try {
    const cwd = path.resolve(import.meta.dirname, '../..');
    return execFileSync('git', ['describe', '--always', '--dirty', '--abbrev=12', '--exclude=*'], {
      cwd,
      encoding: 'utf8',
    }).trim();
  } catch {
    return 'unknown';
  }
}

export function describeResults(results: readonly RowResult[]): string {
  const rows = results.map(({ name, ours, reference, referenceName, unit, ratio, target, reached }) => [
    name,
    `${figure(ours)} ${unit}`,
    `${figure(reference)} (${referenceName})`,
    ratio.toFixed(2),
    'atLeast' in target ? `≥ ${target.atLeast}` : `≤ ${target.atMost}`,
    reached ? 'reached' : 'MISSED',
  ]);
  const table = [['row', 'ours', 'reference', 'ratio', 'target', ''], ...rows];
  const widths = table[0]?.map((_head, column) => Math.max(...table.map(row => row[column]?.length ?? 0)));
  return table
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths?.[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
