// `npm run test:model`: the random scripts of the money path, as many as one likes. `npm test` runs a hundred and fifty of
// them; a night's worth finds what is rare. A failure prints its seed and its shortest script.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { prepareRedisServer } from './setup/redis-server.ts';

const help = `npm run test:model -- [options]

Plays random scripts against the money path: buyers, processes that die after any step, up to three clients at once with
their steps in any order, 3-D Secure, news that come late, twice or never. Real Redis, embedded MongoDB and Stripe; the clock
is moved. What must hold is checked after each act.

  --runs N     how many scripts (1000)
  --jobs N     how many processes play them, each its share, with services and a seed of its own (1)
  --seed N     the scripts of that seed, which a failure prints
  --path P     only the one script of that path, which a failure prints, too
  --help       this

Exit status: 0 if every script held, 1 if one did not, 2 if it could not be played.
`;

const root = path.resolve(import.meta.dirname, '..');
const seedsCount = 2 ** 31;
const tellLineMs = 30_000;
const tellBarMs = 250;

interface Share {
  readonly runs: number;
  readonly seed: number;
  readonly path: string | undefined;
  /** Each script that held leaves a byte in it. */
  readonly progressFile: string;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000' },
      jobs: { type: 'string', default: '1' },
      seed: { type: 'string' },
      path: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const runs = whole('--runs', values.runs, 1);
  const jobs = Math.min(runs, values.path === undefined ? whole('--jobs', values.jobs, 1) : 1);
  const seed =
    values.seed === undefined
      ? Math.floor(Math.random() * seedsCount)
      : whole('--seed', values.seed, -seedsCount);
  await prepareRedisServer();
  const startedAt = performance.now();
  const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-model-'));
  try {
    const shares = Array.from({ length: jobs }, (_, job): Share => {
      const progressFile = path.join(folder, String(job));
      writeFileSync(progressFile, '');
      const own = Math.floor(runs / jobs) + (job < runs % jobs ? 1 : 0);
      return { runs: own, seed: seed + job, path: values.path, progressFile };
    });
    const countHeld = () => shares.reduce((sum, { progressFile }) => sum + statSync(progressFile).size, 0);
    const stopTelling = tellProgress(countHeld, { runs, startedAt });
    const outcomes = await Promise.all(shares.map(play));
    stopTelling();
    for (const { ok, output } of outcomes) if (!ok) process.stdout.write(output);
    const isRight = outcomes.every(({ ok }) => ok);
    const seeds = shares.map(share => share.seed).join(', ');
    const spent = seconds(performance.now() - startedAt);
    process.stdout.write(
      `${runs} scripts asked for: ${isRight ? 'all held' : 'NOT ALL HELD'}, ${spent} (seed ${seeds})\n`,
    );
    return isRight ? 0 : 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function play({
  runs,
  seed,
  path: one,
  progressFile,
}: Share): Promise<{ ok: boolean; output: string }> {
  const vitest = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const title = 'is right after whatever may happen';
  const argv = [vitest, 'run', '--root', root, 'test/model/checkout.model.test.ts', '-t', title];
  const env = {
    ...process.env,
    MODEL_RUNS: String(runs),
    MODEL_SEED: String(seed),
    MODEL_PROGRESS: progressFile,
    ...(one === undefined ? {} : { MODEL_PATH: one }),
  };
  const child = spawn(process.execPath, argv, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', resolve);
  });
  const [status, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  return { ok: status === 0, output: output + errors };
}

/** On a terminal a bar, elsewhere a line every now and then. */
function tellProgress(
  countHeld: () => number,
  { runs, startedAt }: { runs: number; startedAt: number },
): () => void {
  if (!process.stderr.isTTY) {
    const line = () =>
      process.stderr.write(
        `${countHeld()} of ${runs} scripts held, ${seconds(performance.now() - startedAt)}\n`,
      );
    const timer = setInterval(line, tellLineMs);
    return () => clearInterval(timer);
  }
  const bar = new SingleBar({
    format: 'scripts [{bar}] {value} / {total}, {duration_formatted}, {eta_formatted} left',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
    barsize: 30,
    fps: 5,
  });
  bar.start(runs, 0);
  // While a failure is made shorter, scripts that hold are counted on.
  const timer = setInterval(() => bar.update(Math.min(runs, countHeld())), tellBarMs);
  return () => {
    clearInterval(timer);
    bar.stop();
  };
}

function whole(flag: string, given: string, least: number): number {
  const number = Number(given);
  if (!Number.isSafeInteger(number) || number < least)
    throw new Error(`${flag} takes a whole number: ${given}`);
  return number;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nSee --help.\n`);
  process.exitCode = 2;
}
