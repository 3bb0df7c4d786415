// A server under test, as a process of its own: what it costs must not be hidden in the load generator's process.
import path from 'node:path';
import { ManagedProcess } from '../../scripts/supervisor/managed-process.ts';
import { freePort } from '../../scripts/supervisor/ports.ts';

export interface ChildServer {
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Starts `bench/servers/NAME.ts`; `NODE_ENV` is production, and `env` is all that it is told. */
export async function startChildServer(name: string, env: Record<string, string> = {}): Promise<ChildServer> {
  const port = await freePort();
  const server = new ManagedProcess(
    {
      name,
      argv: [path.resolve(import.meta.dirname, '../servers', `${name}.ts`)],
      env: { ...process.env, NODE_ENV: 'production', ...env },
      port,
      stopWithinMs: 5_000,
    },
    event => {
      if (event.kind === 'line') process.stderr.write(`${event.name}: ${event.line}\n`);
    },
    { restart: false },
  );
  await server.start();
  return { url: `http://127.0.0.1:${port}`, pid: server.pid, stop: () => server.stop() };
}
