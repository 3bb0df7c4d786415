// A redis-server for a test, started as the installation starts it, on a free port, with data of its own.
// It is gone, with its data, when the test that asked for it is over.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../scripts/supervisor/ports.ts';
import { ManagedProcess } from '../../scripts/supervisor/managed-process.ts';

const program = path.resolve(import.meta.dirname, '../../server/embedded/redis/main.ts');

export type EmbeddedRedis = {
  url: string;
  port: number;
  dataDir: string;
  /** The process id of redis-server itself. */
  pid: () => number | undefined;
  kill: (signal: NodeJS.Signals) => void;
  /** Starts it again on the same port and data; it must have been stopped or killed. */
  start: () => Promise<void>;
  /** Ends it and keeps the data. */
  stop: () => Promise<void>;
  /** Ends it and removes the data. */
  dispose: () => Promise<void>;
};

export async function startEmbeddedRedis(options: { maxmemory?: string } = {}): Promise<EmbeddedRedis> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-redis-'));
  const port = await freePort();
  const maxmemory = options.maxmemory === undefined ? [] : ['--maxmemory', options.maxmemory];
  const redis = new ManagedProcess(
    {
      name: 'redis',
      argv: [program, '--data', dataDir, ...maxmemory],
      env: process.env,
      port,
      stopWithinMs: 5_000,
    },
    () => {},
    { restart: false },
  );
  await redis.start();
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    dataDir,
    pid: () => redis.pid,
    kill: signal => redis.kill(signal),
    start: async () => {
      await redis.stop();
      await redis.start();
    },
    stop: () => redis.stop(),
    dispose: async () => {
      await redis.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
