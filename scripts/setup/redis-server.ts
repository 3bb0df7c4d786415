// A redis-server of version 7 or newer on this machine: the scripts in lua/ use its `#!lua` flags, and
// sharded pub/sub came with it.
import { execFileSync } from 'node:child_process';
import { findProgram } from './find-program.ts';
import { SetupError } from './setup-error.js';
import { type InstallOptions, installSystemPackage } from './system-package.ts';

export const REDIS_MAJOR_MIN = 7;

type Found =
  | { kind: 'found'; path: string }
  | { kind: 'missing' }
  | { kind: 'old'; path: string; version: string };

/** Resolves to the program's path, installing it if it can; otherwise a SetupError says what would do. */
export async function prepareRedisServer(options: InstallOptions = {}): Promise<string> {
  const env = options.env ?? process.env;
  const first = lookForRedis(env);
  if (first.kind === 'found') return first.path;
  const outcome = await installSystemPackage(
    { apt: 'redis-server', brew: 'redis', services: ['redis-server'] },
    options,
  );
  const second = lookForRedis(env);
  if (second.kind === 'found') return second.path;
  const found =
    second.kind === 'old' ? `${second.path} is version ${second.version}` : 'no redis-server is on the PATH';
  const reason = outcome.kind === 'impossible' ? `, and it could not be installed: ${outcome.reason}` : '.';
  throw new SetupError(
    [
      `Doorbuster needs redis-server ${REDIS_MAJOR_MIN} or newer: ${found}${reason}`,
      '',
      'Any one of these will do:',
      '  1. install it:        sudo apt-get install redis-server   (or: brew install redis)',
      '  2. run a container:   docker run -d -p 6390:6379 redis:7 redis-server --appendonly yes --maxmemory-policy noeviction',
      '                        and name it as in 3',
      '  3. name your own:     REDIS_URL=redis://HOST:6390/0 REDIS_JOBS_URL=redis://HOST:6390/1',
    ].join('\n'),
  );
}

function lookForRedis(env: NodeJS.ProcessEnv): Found {
  const path = findProgram('redis-server', env);
  if (path === undefined) return { kind: 'missing' };
  const version = versionOf(path);
  return Number.parseInt(version, 10) >= REDIS_MAJOR_MIN
    ? { kind: 'found', path }
    : { kind: 'old', path, version };
}

function versionOf(path: string): string {
  try {
    return /\bv=(\S+)/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';
  } catch {
    return 'unknown';
  }
}
