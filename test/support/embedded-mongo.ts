// The embedded MongoDB for a test: a process of its own on a free port, with data of its own, that dies
// with the test's process. `kill` is kill -9 and keeps the data for a next start on the same directory.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const program = path.resolve(import.meta.dirname, '../../server/embedded/mongo/main.ts');
const readyLine = z.object({ ready: z.literal(true), port: z.int() });

export interface EmbeddedMongo {
  /** Without a database name: `mongodb://127.0.0.1:PORT`. */
  readonly uri: string;
  readonly port: number;
  readonly dataDir: string;
  readonly pid: number;
  /** Ends it in order and answers its exit status; a data directory that it made itself is removed. */
  readonly stop: () => Promise<number | null>;
  /** kill -9; the data stays. */
  readonly kill: () => Promise<void>;
}

export async function startEmbeddedMongo(
  options: { dataDir?: string; port?: number; args?: readonly string[] } = {},
): Promise<EmbeddedMongo> {
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'doorbuster-mongo-'));
  const argv = [
    program,
    '--data',
    dataDir,
    '--port',
    String(options.port ?? 0),
    '--parent',
    ...(options.args ?? []),
  ];
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  const exited = once(child, 'exit');
  const { port } = await firstLine(child);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    uri: `mongodb://127.0.0.1:${port}`,
    port,
    dataDir,
    pid: child.pid ?? 0,
    stop: async () => {
      const status = await end('SIGTERM');
      if (options.dataDir === undefined) rmSync(dataDir, { recursive: true, force: true });
      return status;
    },
    kill: async () => {
      await end('SIGKILL');
    },
  };
}

let shared: Promise<EmbeddedMongo> | undefined;

/**
 * The address of a database of its own, on a server that all test files of this process share and that ends with it: for
 * who neither stops nor kills the server.
 */
export async function freshDatabase(): Promise<string> {
  shared ??= startEmbeddedMongo();
  const { uri } = await shared;
  return `${uri}/fresh-${randomUUID()}`;
}

async function firstLine(child: ChildProcess): Promise<{ port: number }> {
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error('the server was started without pipes');
  let errors = '';
  stderr.on('data', chunk => (errors += String(chunk)));
  for await (const line of createInterface({ input: stdout })) return readyLine.parse(JSON.parse(line));
  throw new Error(`the embedded mongo ended before it was ready: ${errors}`);
}
