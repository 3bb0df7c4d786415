// What `npm run bench` was asked for.
import { parseArgs } from 'node:util';
import { SetupError } from '../setup/setup-error.js';

export const usage = `npm run bench -- [options]

Measures every performance figure of the README: each row has two sides, measured in turn in one run, so that what counts
is their ratio on this machine, now.

  --only NAME    only the row of that name; may be given more than once, and NAME* takes all that begin with it
  --rounds N     rounds for each row; the medians count (5)
  --json FILE    write the results as JSON
  --list         name the rows
  --help         this

Exit status: 0 if every target was reached, 1 if one was missed, 2 if a row could not be measured.`;

export interface CommandLine {
  readonly kind: 'run' | 'list';
  readonly only: readonly string[];
  readonly roundsCount: number;
  readonly jsonFile: string | null;
}

export function readCommandLine(argv: string[]): CommandLine | 'help' {
  const { values } = parse(argv);
  if (values.help) return 'help';
  const roundsCount = Number(values.rounds);
  if (!Number.isInteger(roundsCount) || roundsCount < 1 || roundsCount > 100) {
    throw new SetupError(`--rounds takes a whole number from 1 to 100, not "${values.rounds}".`);
  }
  return {
    kind: values.list ? 'list' : 'run',
    only: values.only,
    roundsCount,
    jsonFile: values.json ?? null,
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        only: { type: 'string', multiple: true, default: [] },
        rounds: { type: 'string', default: '5' },
        json: { type: 'string' },
        list: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new SetupError(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}
