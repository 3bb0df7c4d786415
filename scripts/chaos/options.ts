// What `npm run chaos` was asked for.
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { SetupError } from '../setup/setup-error.js';
import type { Fault } from './fault.ts';

export const usage = `npm run chaos -- [options]

Does to an installation of its own what may happen to a real one: processes killed and stopped, connections cut,
logs cut off, backups restored, disks filled, clocks that are wrong. After each fault the sale must have gone on
within its bound, the books must agree, and the audit must find nothing.

  --only N      this fault of the table alone, or those from N to M (N-M); more than once for several
  --seed N      the same lots again, whichever faults run; a run prints its own
  --json FILE   write the results as JSON
  --table FILE  run nothing: print what such files say as a Markdown table, a column for each seed; more than once for
                several, the parts of one seed among them
  --list        name the faults
  --help        this

Exit status: 0 if every fault was withstood, 1 if one was not, 2 if it could not be run. A fault that this machine
cannot show (a full disk without being root) is skipped, and says so.`;

export interface ChaosOptions {
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly jsonFile: string | null;
}

export function readChaosOptions(
  argv: string[],
  all: readonly Fault[],
): ChaosOptions | { tableOf: readonly string[] } | 'help' | 'list' {
  const { values } = parse(argv);
  if (values.help) return 'help';
  if (values.list) return 'list';
  if (values.table.length > 0) return { tableOf: values.table };
  const seed = values.seed === undefined ? randomInt(1, 1_000_000) : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed > 2 ** 31) {
    throw new SetupError(`--seed takes a whole number from 0 to ${2 ** 31}, not "${values.seed}".`);
  }
  const only = values.only.flatMap(text => {
    const { first, last } = rangeOf(text);
    const found = all.filter(({ number }) => number >= first && number <= last);
    if (found.length === 0) {
      const numbers = all.map(({ number }) => number).join(', ');
      throw new SetupError(
        `--only takes the number of a fault (${numbers}), or two with a dash, not "${text}".`,
      );
    }
    return found;
  });
  return { faults: only.length > 0 ? [...new Set(only)] : all, seed, jsonFile: values.json ?? null };
}

/** Not a number where it is none: then it names no fault. */
function rangeOf(text: string): { first: number; last: number } {
  const [, first, last = first] = /^(\d+)(?:-(\d+))?$/.exec(text) ?? [];
  return { first: Number(first), last: Number(last) };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string' },
        json: { type: 'string' },
        table: { type: 'string', multiple: true, default: [] },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
