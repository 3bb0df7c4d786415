/**
 * Starts the embedded search server as the program that it is, for a test, on a free port.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';

const program = path.resolve(import.meta.dirname, '../../server/embedded/typesense/main.ts');
const readyLine = z.object({ ready: z.literal(true), port: z.int() });

export type EmbeddedTypesense = {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly apiKey: string;
  readonly dataDir: string;
  /** Ends it in order; resolves with its exit status. Data that it was not given is removed. */
  readonly stop: () => Promise<number | null>;
  /** kill -9. The data stays for a next start with the same `dataDir`; `stop` afterwards removes what is its own. */
  readonly kill: () => Promise<void>;
};

export async function startEmbeddedTypesense(
  options: { dataDir?: string; port?: number; apiKey?: string } = {},
): Promise<EmbeddedTypesense> {
  const { apiKey = 'test-admin-key', port = 0 } = options;
  const dataDir = options.dataDir ?? mkdtempSync(path.join(tmpdir(), 'doorbuster-typesense-'));
  const child = spawn(process.execPath, [program, '--data', dataDir, '--port', String(port), '--parent'], {
    env: { ...process.env, STANDIN_TYPESENSE_KEY: apiKey },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const ready = await firstLine(child);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    url: `http://127.0.0.1:${ready.port}`,
    host: '127.0.0.1',
    port: ready.port,
    apiKey,
    dataDir,
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

async function firstLine(child: ChildProcess): Promise<{ port: number }> {
  const { stdout, stderr } = child;
  if (stdout === null || stderr === null) throw new Error('the server was started without pipes');
  let log = '';
  stderr.on('data', chunk => {
    log += String(chunk);
  });
  for await (const line of createInterface({ input: stdout })) return readyLine.parse(JSON.parse(line));
  throw new Error(`the embedded search server did not start: ${log}`);
}
