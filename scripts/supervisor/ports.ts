import { once } from 'node:events';
import { createServer } from 'node:net';
import { SetupError } from '../setup/setup-error.js';

/** Servers behind one port: more than this machine has processors gains nothing, and each takes some 100 MB. */
export const SERVERS_COUNT_MAX = 64;

/** A port that was free a moment ago; the system hands out another one each time. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}

/** Throws a SetupError naming PORT where that port cannot be had, before anything else is started. */
export async function assertPortFree(port: number, host: string): Promise<void> {
  const server = createServer().listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') {
      throw new SetupError(
        `Port ${port} is in use by another program. Choose another one: PORT=${port + 1} npm start`,
      );
    }
    if (code === 'EACCES') {
      throw new SetupError(`Port ${port} is not allowed to this user. Choose one above 1023 with PORT=…`);
    }
    throw error;
  }
  server.close();
  await once(server, 'close');
}

/** Throws a SetupError where this system cannot spread the connections of one port over several processes. */
export async function assertPortSharable(host: string): Promise<void> {
  const server = createServer().listen({ port: 0, host, reusePort: true });
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new SetupError(
      `Several servers on one port need SO_REUSEPORT that spreads the connections, as Linux and FreeBSD have it; ` +
        `this system (${process.platform}) has not.\nRun one server, or put a load balancer in front of several ` +
        'that have a PORT each.',
      { cause: error },
    );
  }
  server.close();
  await once(server, 'close');
}
