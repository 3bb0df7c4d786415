// `npm start`: a whole installation on this machine, with a demo drop to watch. Ends everything it started on
// Ctrl-C; a second Ctrl-C ends it at once.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { ensurePages } from './build/pages.ts';
import { say } from './command/say.ts';
import { sendCrowd } from './crowd.ts';
import { prepareDemo } from './demo-drop.ts';
import { SetupError } from './setup/setup-error.js';
import { type Installation, startInstallation } from './supervisor/installation.ts';
import type { ProcessEvent } from './supervisor/managed-process.ts';
import { SERVERS_COUNT_MAX } from './supervisor/ports.ts';
import { ADMIN_KEY_FILE } from './supervisor/secrets.ts';
import { terminalLine } from './supervisor/terminal-log.ts';

const HELP = `npm start -- [options]

  --crowd N      send N simulated buyers to the demo drop
  --no-demo      no demo drop; the catalog and the data folder are as they were
  --port N       the port of the shop (PORT, or 3000; 0 takes a free one)
  --servers N    so many server processes behind that port (1); one that dies is started again
  --data DIR     the data folder (.data)
  --verbose      show every log line of every process
  --help         this

For each of REDIS_URL, REDIS_JOBS_URL, MONGODB_URI, TYPESENSE_URL (with TYPESENSE_API_KEY) and
STRIPE_SECRET_KEY that is not set, an embedded service is started.`;

// A terminal's Ctrl-C arrives through npm, through the set-up and from the terminal itself: signals closer
// together than this are one.
const SAME_SIGNAL_WITHIN_MS = 500;
const PORT_DEFAULT = 3000;

type StartOptions = {
  port: number;
  dataDir: string;
  serversCount: number;
  crowdCount: number;
  demo: boolean;
  verbose: boolean;
};

class UsageError extends SetupError {}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === 'help') {
    say(HELP);
    return 0;
  }
  const startedMs = Date.now();
  const ending = new Ending();
  const host = process.env['HOST'] || '127.0.0.1';
  say('Starting Doorbuster …');
  await preparePages();
  let installation: Installation;
  try {
    installation = await startInstallation({
      dataDir: options.dataDir,
      port: options.port,
      portShared: options.serversCount > 1,
      processes: { servers: options.serversCount },
      host,
      onEvent: event => show(event, { verbose: options.verbose, ending }),
      signal: ending.asked,
    });
  } catch (error) {
    if (ending.asked.aborted) return 0;
    throw error;
  }
  ending.attach(installation);
  introduce(installation, { host, tookMs: Date.now() - startedMs });
  if (options.demo) {
    runDemo(installation, options).catch((error: unknown) => {
      if (!ending.asked.aborted) say(`The demo drop could not be prepared: ${messageOf(error)}`);
    });
  }
  return ending.done;
}

/** The shop sells without its pages, too: where they cannot be built, that is said and the start goes on. */
async function preparePages(): Promise<void> {
  try {
    const { built, tookMs } = await ensurePages();
    if (built) say(`Built the pages in ${(tookMs / 1000).toFixed(1)} s.`);
  } catch (error) {
    say(`The pages could not be built, so there is only the API: ${messageOf(error)}`);
  }
}

function readOptions(argv: string[]): StartOptions | 'help' {
  const { values } = parse(argv);
  if (values.help) return 'help';
  const envPort = process.env['PORT'];
  const port = values.port ?? (envPort === undefined || envPort === '' ? String(PORT_DEFAULT) : envPort);
  return {
    port: wholeNumber('--port (or PORT)', port, 65_535),
    dataDir: path.resolve(values.data ?? (process.env['DATA_DIR'] || '.data')),
    serversCount: serversCountOf(values.servers ?? '1'),
    crowdCount: wholeNumber('--crowd', values.crowd ?? '0', 1_000_000),
    demo: values['no-demo'] !== true,
    verbose: values.verbose === true,
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      options: {
        crowd: { type: 'string' },
        servers: { type: 'string' },
        port: { type: 'string' },
        data: { type: 'string' },
        'no-demo': { type: 'boolean' },
        verbose: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError(`${messageOf(error)}\n\n${HELP}`);
  }
}

function wholeNumber(name: string, text: string, max: number): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isInteger(value) || value < 0 || value > max) {
    throw new UsageError(`${name} takes a whole number up to ${max}, not "${text}".`);
  }
  return value;
}

function serversCountOf(text: string): number {
  const count = wholeNumber('--servers', text, SERVERS_COUNT_MAX);
  if (count === 0) throw new UsageError('--servers takes a whole number from 1, not "0".');
  return count;
}

function introduce(installation: Installation, about: { host: string; tookMs: number }): void {
  const { embedded, remote, dataDir, url } = installation;
  const fromHere = path.relative(process.cwd(), dataDir) || '.';
  const shownDir = fromHere.startsWith('..') ? dataDir : fromHere;
  const isLocal = about.host === '127.0.0.1' || about.host === 'localhost';
  say(
    [
      '',
      `  Doorbuster is open at ${isLocal ? url.replace('127.0.0.1', 'localhost') : url}`,
      '',
      `  embedded    ${embedded.length === 0 ? 'nothing' : embedded.join(', ')}`,
      ...(remote.length === 0 ? [] : [`  remote      ${remote.join(', ')}`]),
      `  data        ${shownDir}  (logs in ${path.join(shownDir, 'logs')})`,
      process.env['ADMIN_KEY']
        ? '  admin key   as set in ADMIN_KEY'
        : `  admin key   in ${path.join(shownDir, ADMIN_KEY_FILE)}`,
      '',
      `  Ready in ${(about.tookMs / 1000).toFixed(1)} s. Ctrl-C ends everything.`,
      '',
    ].join('\n'),
  );
}

async function runDemo(installation: Installation, { crowdCount }: StartOptions): Promise<void> {
  const { url, adminKey } = installation;
  const { dropId, opensAtMs } = await prepareDemo({ url, adminKey });
  const inSec = Math.max(0, Math.round((opensAtMs - Date.now()) / 1000));
  say(inSec === 0 ? '  The demo drop is open.' : `  The demo drop opens in ${inSec} s.`);
  if (crowdCount > 0) {
    say(`  ${crowdCount} simulated buyers are on their way.`);
    await sendCrowd({ url, dropId, buyersCount: crowdCount });
  }
}

function show(event: ProcessEvent, { verbose, ending }: { verbose: boolean; ending: Ending }): void {
  const line = terminalLine(event, { verbose });
  if (line !== undefined) say(line);
  if (event.kind === 'gave-up') ending.ask(1);
}

/** When and how this program ends. `asked` is aborted by the first request; `done` is the exit status. */
class Ending {
  readonly #asked = new AbortController();
  readonly #done = Promise.withResolvers<number>();
  #askedAtMs = 0;
  #installation: Installation | undefined;

  constructor() {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.ask(0));
    // The set-up that started this was killed outright; nobody is left to ask for an end.
    process.on('disconnect', () => this.ask(0));
  }

  get asked(): AbortSignal {
    return this.#asked.signal;
  }

  get done(): Promise<number> {
    return this.#done.promise;
  }

  attach(installation: Installation): void {
    this.#installation = installation;
    if (this.asked.aborted) this.#stop(0);
  }

  ask(status: number): void {
    if (this.asked.aborted) {
      if (Date.now() - this.#askedAtMs > SAME_SIGNAL_WITHIN_MS) this.#stopNow();
      return;
    }
    this.#askedAtMs = Date.now();
    say('\nStopping … (Ctrl-C again: at once)');
    this.#asked.abort();
    this.#stop(status);
  }

  #stopNow(): void {
    // What was started before there is an installation ends by itself when this process does.
    if (this.#installation === undefined) process.exit(1);
    void this.#installation.stop({ now: true });
  }

  #stop(status: number): void {
    this.#installation?.stop().then(
      () => {
        say('Stopped.');
        return this.#done.resolve(status);
      },
      (error: unknown) => this.#done.reject(error),
    );
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// A closed terminal must not keep the end from being an orderly one.
process.stdout.on('error', () => {});

main().then(
  status => process.exit(status),
  (error: unknown) => {
    const shown = error instanceof SetupError || !(error instanceof Error) ? messageOf(error) : error.stack;
    process.stderr.write(`\n${shown}\n`);
    process.exit(1);
  },
);
