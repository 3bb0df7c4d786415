// What several runs of the fault matrix said, as a Markdown table: a line for each fault, a column for each seed. A run
// may have been made in parts, a file each; a fault that two files of one seed have is refused, so that no run of it is
// passed over.
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { SetupError } from '../setup/setup-error.js';

const resultsSchema = z.object({
  seed: z.int(),
  faults: z.array(
    z.object({
      number: z.int(),
      title: z.string(),
      outcome: z.enum(['held', 'failed', 'skipped']),
      figures: z.record(z.string(), z.union([z.string(), z.number()])),
    }),
  ),
});
type Results = z.infer<typeof resultsSchema>;
type Result = Results['faults'][number];

/** Reads what `--json` wrote. */
export function readResults(file: string): Results {
  try {
    return resultsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (cause) {
    throw new SetupError(`${file} holds no results of npm run chaos.`, { cause });
  }
}

/** `ok`: every seed has every fault that one of them has, and none failed; what a machine cannot show is skipped. */
export function faultTable(runs: readonly Results[]): { text: string; ok: boolean } {
  const seeds = [...new Set(runs.map(({ seed }) => seed))];
  const bySeed = new Map(seeds.map(seed => [seed, new Map<number, Result>()]));
  const titles = new Map<number, Result>();
  for (const { seed, faults } of runs) {
    for (const fault of faults) {
      const known = bySeed.get(seed);
      if (known?.has(fault.number)) {
        throw new SetupError(`Fault ${fault.number} with seed ${seed} stands in two of the files.`);
      }
      known?.set(fault.number, fault);
      titles.set(fault.number, fault);
    }
  }
  const numbers = [...titles.keys()].toSorted((a, b) => a - b);
  const of = (number: number) => seeds.map(seed => bySeed.get(seed)?.get(number));
  const lines = numbers.map(number => {
    const { title = '' } = titles.get(number) ?? {};
    const bound = of(number).flatMap(result => boundOf(result) ?? [])[0] ?? '–';
    return row([String(number), title, bound, ...of(number).map(cellOf)]);
  });
  const head = ['#', 'fault', 'bound', ...seeds.map(seed => `seed ${seed}`)];
  return {
    text: [row(head), row(head.map(() => '---')), ...lines].join('\n'),
    ok: numbers.every(number =>
      of(number).every(result => result !== undefined && result.outcome !== 'failed'),
    ),
  };
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;

function boundOf(result: Result | undefined): string | null {
  const { boundMs, boundMin } = result?.figures ?? {};
  if (boundMs !== undefined) return `${Number(boundMs) / 1_000} s`;
  return boundMin === undefined ? null : `${boundMin} min`;
}

/** `sweptLateMs` → `swept late`. */
function wordsOf(name: string): string {
  return name
    .replace(/(Ms|Min)$/, '')
    .replaceAll(/[A-Z]/g, letter => ` ${letter}`)
    .toLowerCase();
}

/** The times that it took, the recovery first and unnamed; a word where there are none. */
function cellOf(result: Result | undefined): string {
  if (!result) return 'not run';
  const times = Object.entries(result.figures).flatMap(([name, value]) => {
    if (name.startsWith('bound')) return [];
    const label = name === 'recoveryMs' ? '' : `${wordsOf(name)} `;
    if (name.endsWith('Min')) return [`${label}${value} min`];
    if (!name.endsWith('Ms')) return [];
    const seconds = String(value)
      .split(' ')
      .map(each => (Number(each) / 1_000).toFixed(1));
    return [`${label}${seconds.join(' and ')} s`];
  });
  if (result.outcome !== 'held') return result.outcome === 'failed' ? '**failed**' : 'skipped';
  return times.length > 0 ? times.join(', ') : 'withstood';
}
