/** The listening socket, its connections, and the clocks of the sweeps. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Doc } from './bson/codec.ts';
import { commandFor, errorReply, runCommand } from './commands/dispatch.ts';
import type { ServerState } from './commands/command.ts';
import { helloWaitMs, topologyVersion } from './commands/server.ts';
import { MongoFault } from './errors.ts';
import { Cursors } from './protocol/cursors.ts';
import { Turns } from './protocol/turns.ts';
import {
  FrameReader,
  frameReply,
  idOf,
  parseRequest,
  type Reply,
  type Request,
  WireFault,
} from './protocol/wire.ts';
import { Catalog } from './storage/catalog.ts';
import { Database } from './storage/database.ts';
import { sweepExpired } from './storage/expiry.ts';

export interface EmbeddedMongoOptions {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  readonly ttlSweepMs: number;
  readonly bytesMax?: number;
}

export interface RunningServer {
  readonly port: number;
  /** Answers what has arrived, closes the connections and the file. */
  stop(): Promise<void>;
}

const CURSOR_SWEEP_MS = 30_000;
const CONNECTIONS_MAX = 10_000;

export async function startServer(options: EmbeddedMongoOptions): Promise<RunningServer> {
  const database = new Database({
    dataDir: options.dataDir,
    ...(options.bytesMax === undefined ? {} : { bytesMax: options.bytesMax }),
  });
  const catalog = new Catalog(database);
  const turns = new Turns<Reply>(catalog);
  const cursors = new Cursors();
  const sockets = new Set<Socket>();
  const state: ServerState = { catalog, cursors, startedAtMs: Date.now(), connections: () => sockets.size };
  let connectionCount = 0;
  const server = createServer({ noDelay: true }, socket => {
    connectionCount += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    serve(socket, { state, turns, connectionId: connectionCount });
  });
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, options);
  const timers = [
    setInterval(() => cursors.dropIdle(), CURSOR_SWEEP_MS),
    setInterval(() => turns.submit(expiryWork(catalog)), options.ttlSweepMs),
  ];
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : options.port,
    stop: async () => {
      for (const timer of timers) clearInterval(timer);
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      while (!turns.idle) turns.runTurn();
      for (const socket of sockets) socket.end();
      setTimeout(() => {
        for (const socket of sockets) socket.destroy();
      }, 500).unref();
      await closed;
      database.close();
    },
  };
}

function listen(server: Server, options: EmbeddedMongoOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => resolve());
  });
}

const expiryWork = (catalog: Catalog) => ({
  repeatable: true,
  run: () => {
    sweepExpired(catalog, Date.now());
    return {};
  },
  done: () => undefined,
});

interface Connection {
  readonly state: ServerState;
  readonly turns: Turns<Reply>;
  readonly connectionId: number;
}

function serve(socket: Socket, connection: Connection): void {
  const reader = new FrameReader();
  socket.on('error', () => socket.destroy());
  socket.on('data', chunk => {
    try {
      for (const frame of reader.push(Buffer.from(chunk))) take(socket, connection, parseRequest(frame));
    } catch (error) {
      if (!(error instanceof WireFault)) throw error;
      process.stderr.write(
        `embedded mongo: connection ${connection.connectionId} closed: ${error.message}\n`,
      );
      socket.destroy();
    }
  });
}

/** A hello that awaits news waits outside of the turns, and ends with its connection. */
function take(socket: Socket, connection: Connection, request: Request): void {
  const waitMs = helloWaitMs(request.command);
  if (waitMs === 0) return submit(socket, connection, request);
  const forget = () => clearTimeout(timer);
  const timer = setTimeout(() => {
    socket.off('close', forget);
    submit(socket, connection, request);
  }, waitMs);
  socket.once('close', forget);
}

function submit(socket: Socket, connection: Connection, request: Request): void {
  const { command } = request;
  const db = databaseOf(command);
  connection.turns.submit({
    repeatable: commandFor(command).handler?.repeatable !== false,
    run: () => {
      if (db === undefined)
        throw new MongoFault('Location40414', "BSON field '$db' is missing but a required field");
      return runCommand(command, { ...connection.state, db, connectionId: connection.connectionId });
    },
    done: outcome => {
      if (outcome.kind === 'failed' && !(outcome.error instanceof MongoFault))
        process.stderr.write(
          `embedded mongo: ${commandFor(command).name} failed: ${outcome.error instanceof Error ? (outcome.error.stack ?? '') : 'unknown'}\n`,
        );
      if (request.silent || socket.destroyed) return;
      const ok = outcome.kind === 'ok';
      const next = { ...command, topologyVersion: known };
      const moreToCome = ok && request.exhaust && helloWaitMs(next) > 0;
      const reply = ok ? outcome.value : errorReply(outcome.error);
      const requestId = answer(socket, request, { reply, moreToCome });
      if (!moreToCome) return;
      const further = { ...request, requestId, command: next };
      // Who does not read them gets no more of them.
      if (socket.writableNeedDrain) socket.once('drain', () => take(socket, connection, further));
      else take(socket, connection, further);
    },
  });
}

/** As a driver would send it back. */
const known = { processId: topologyVersion.processId, counter: topologyVersion.counter.toNumber() };

function databaseOf(command: Doc): string | undefined {
  const db = command['$db'];
  return typeof db === 'string' ? db : undefined;
}

/** Answers the id of what it sent. */
function answer(
  socket: Socket,
  request: Request,
  { reply, moreToCome }: { reply: Reply; moreToCome: boolean },
): number {
  let parts: Buffer[];
  try {
    parts = frameReply(request, reply, moreToCome);
  } catch {
    parts = frameReply(request, errorReply(undefined));
  }
  socket.cork();
  for (const part of parts) socket.write(part);
  socket.uncork();
  // Who does not read its answers may not ask on: what waits to be sent stays bounded.
  if (socket.writableNeedDrain && !socket.isPaused()) {
    socket.pause();
    socket.once('drain', () => socket.resume());
  }
  return idOf(parts);
}
