import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ListenOptions } from 'node:net';
import { SetupError } from '../setup/setup-error.js';

/** Servers behind one port: more than this machine has processors gains nothing, and each takes some 100 MB. */
export const SERVERS_COUNT_MAX = 64;

/**
 * Below the ports that systems give to connections and to whoever asks for any (from 32,768 on, or 49,152): so nothing
 * that starts meanwhile is given the port between its choice and its use.
 */
const DRAWN_PORTS = { from: 20_000, to: 32_767 };
const DRAWS_MAX = 50;

/** A port that is free now, drawn by chance, so that two who ask at the same time hardly get the same one. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let draw = 0; draw < DRAWS_MAX; draw += 1) {
    const port = randomInt(DRAWN_PORTS.from, DRAWN_PORTS.to + 1);
    if (await isFree(port, host)) return port;
  }
  throw new SetupError(
    `None of ${DRAWS_MAX} ports between ${DRAWN_PORTS.from} and ${DRAWN_PORTS.to} is free on ${host}. Name one: PORT=…`,
  );
}

async function isFree(port: number, host: string): Promise<boolean> {
  try {
    await tryListening({ port, host });
    return true;
  } catch (error) {
    if (codeOf(error) === 'EADDRINUSE') return false;
    throw error;
  }
}

/** Listens and ends again; rejects where the system refuses it. */
async function tryListening(where: ListenOptions): Promise<void> {
  const server = createServer().listen(where);
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

/** Throws a SetupError naming PORT where that port cannot be had, before anything else is started. */
export async function assertPortFree(port: number, host: string): Promise<void> {
  try {
    await tryListening({ port, host });
  } catch (error) {
    const code = codeOf(error);
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
}

/** Throws a SetupError where this system cannot spread the connections of one port over several processes. */
export async function assertPortSharable(host: string): Promise<void> {
  try {
    await tryListening({ port: 0, host, reusePort: true });
  } catch (error) {
    throw new SetupError(
      `Several servers on one port need SO_REUSEPORT that spreads the connections, as Linux and FreeBSD have it; ` +
        `this system (${process.platform}) has not.\nRun one server, or put a load balancer in front of several ` +
        'that have a PORT each.',
      { cause: error },
    );
  }
}
