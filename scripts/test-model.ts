// `npm run test:model`: the random scripts of the money path, as many as one likes. `npm test` runs a hundred and fifty of
// them; a night's worth finds what is rare. A failure prints its seed and its shortest script.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { prepareRedisServer } from './setup/redis-server.ts';

const help = `npm run test:model -- [options]

Plays random scripts against the money path: buyers, processes that die after any step, two of them at once, news that come
late, twice or never. Real Redis, embedded MongoDB and Stripe; the clock is moved. What must hold is checked after each act.

  --runs N     how many scripts (1000)
  --seed N     the scripts of that seed, which a failure prints
  --path P     only the one script of that path, which a failure prints, too
  --help       this

Exit status: 0 if every script held, 1 if one did not, 2 if it could not be played.
`;

const root = path.resolve(import.meta.dirname, '..');

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000' },
      seed: { type: 'string' },
      path: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const whole = (flag: string, text: string, least: number) => {
    const number = Number(text);
    if (!Number.isSafeInteger(number) || number < least)
      throw new Error(`${flag} takes a whole number: ${text}`);
    return String(number);
  };
  const env = {
    ...process.env,
    MODEL_RUNS: whole('--runs', values.runs, 1),
    ...(values.seed === undefined ? {} : { MODEL_SEED: whole('--seed', values.seed, -(2 ** 31)) }),
    ...(values.path === undefined ? {} : { MODEL_PATH: values.path }),
  };
  await prepareRedisServer();
  const startedAt = performance.now();
  const argv = [
    path.join(root, 'node_modules', 'vitest', 'vitest.mjs'),
    'run',
    '--root',
    root,
    'test/model/checkout.model.test.ts',
    '-t',
    'is right after whatever may happen',
  ];
  const child = spawn(process.execPath, argv, { cwd: root, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const status = await new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', code => resolve(code === 0 ? 0 : 1));
  });
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  process.stdout.write(
    `${env.MODEL_RUNS} scripts asked for: ${status === 0 ? 'all held' : 'NOT ALL HELD'}, ${seconds} s\n`,
  );
  return status;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nSee --help.\n`);
  process.exitCode = 2;
}
