// What the commands over the catalog (import, export, reprice) have in common: where the installation is, how they end,
// and how they say what is wrong with the way they were called.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { say } from './say.ts';

/** Of the command's own words, not of what it does: it points to `--help`. */
export class UsageError extends Error {}

/** Options that all of them take, for `parseArgs`. */
export const sharedOptions = {
  json: { type: 'string' },
  data: { type: 'string' },
  url: { type: 'string' },
  'admin-key': { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export interface Place {
  readonly dataDir: string;
  /** An installation elsewhere; null for the one that runs on the data folder. */
  readonly remote: { readonly url: string; readonly adminKey: string } | null;
}

/** Throws UsageError where an installation elsewhere is named without its key. */
export function placeOf(values: {
  data?: string | undefined;
  url?: string | undefined;
  'admin-key'?: string | undefined;
}): Place {
  const dataDir = path.resolve(values.data ?? (process.env['DATA_DIR'] || '.data'));
  if (values.url === undefined) return { dataDir, remote: null };
  const adminKey = values['admin-key'] ?? process.env['ADMIN_KEY'];
  if (!adminKey) throw new UsageError('--url needs --admin-key KEY (or ADMIN_KEY)');
  return { dataDir, remote: { url: values.url, adminKey } };
}

/** `settings`: what else says where an installation is, if anything does. */
export function nothingRuns(dataDir: string, verb: string, settings?: string): UsageError {
  return new UsageError(
    `no installation runs on ${dataDir}. Start one with "npm start" and ${verb} from another terminal,\n` +
      `name its data folder with --data, ${settings ? `set ${settings}, ` : ''}or use --url and --admin-key.`,
  );
}

export function writeReport(file: string | undefined, report: unknown): void {
  if (file !== undefined) writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`);
}

/** Runs the command and sets the exit status: what `run` answers, or 1 with the reason. */
export async function runCommand<Options>(command: {
  name: string;
  help: string;
  readOptions: (argv: string[]) => Options | 'help';
  run: (options: Options) => Promise<number>;
}): Promise<void> {
  const { name, help, readOptions, run } = command;
  try {
    const options = readOptions(process.argv.slice(2));
    if (options === 'help') say(help);
    else process.exitCode = await run(options);
  } catch (error) {
    process.exitCode = 1;
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    // What parseArgs refuses is a TypeError with a code.
    if (error instanceof UsageError || (error instanceof TypeError && 'code' in error))
      process.stderr.write(`npm run ${name} -- --help says how.\n`);
  }
}
