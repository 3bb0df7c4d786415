// tRPC over WebSocket, at /trpc: who may connect, how long a socket lives, and how it is told to go elsewhere.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyRouter } from '@trpc/server';
import { getWSConnectionHandler } from '@trpc/server/adapters/ws';
import type { Logger } from 'pino';
import { WebSocketServer, type WebSocket } from 'ws';
import { PublicError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { loggablePath, type Metrics } from '../platform/telemetry.ts';
import type { Context } from '../trpc.ts';
import { addressOf, type MakeContext } from './context.ts';
import { createCountsByKey } from './counts-by-key.ts';
import type { OriginCheck } from './origin.ts';
import { closeCodes, guardSocket } from './socket-guard.ts';

export interface Sockets {
  /** Asks every client to reconnect elsewhere, then closes what is still open after `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

export function serveSockets(
  server: Server,
  options: {
    router: AnyRouter;
    makeContext: MakeContext;
    checkOrigin: OriginCheck;
    clock: Clock;
    metrics: Metrics;
    trustProxy: boolean;
    log: Logger;
  },
): Sockets {
  const { makeContext, checkOrigin, clock, metrics, log, trustProxy } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.socketMessageBytes,
    maxFragments: limits.socketFragmentsCount,
    maxBufferedChunks: limits.socketChunksCount,
    // Ticks are small and many: compressing each costs more than it saves, and memory for every socket.
    perMessageDeflate: false,
  });
  const perAddress = createCountsByKey();
  const perBuyer = createCountsByKey();
  let stopping = false;

  /** Sockets are counted by buyer once their context is made, and end when their token does. */
  const attend = (socket: WebSocket, { caller }: Context) => {
    // Making the context takes a while; a socket that has closed meanwhile would never be counted out again.
    if (caller.kind === 'nobody' || socket.readyState === socket.CLOSED) return;
    const { expiresAtMs } = caller;
    if (expiresAtMs !== undefined) {
      // The clock is corrected now and then, so the time left is asked for again at intervals.
      let timer: NodeJS.Timeout | undefined;
      const check = () => {
        const leftMs = expiresAtMs - clock.now();
        if (leftMs <= 0)
          socket.close(closeCodes.unauthorized, 'The token has expired: renew it and reconnect');
        else timer = setTimeout(check, Math.min(leftMs, limits.socketTokenCheckMs));
      };
      check();
      socket.on('close', () => clearTimeout(timer));
    }
    if (caller.kind !== 'buyer') return;
    const { buyerId } = caller;
    socket.on('close', () => perBuyer.remove(buyerId));
    if (perBuyer.add(buyerId) <= limits.socketsPerBuyerCount) return;
    const why = `A buyer has at most ${limits.socketsPerBuyerCount} sockets`;
    socket.close(closeCodes.policy, why);
    // Without a context, nothing that this socket has already sent is carried out.
    throw new PublicError('too-many', why);
  };

  sockets.on('connection', (socket: WebSocket, req: IncomingMessage) => {
    metrics.sockets.inc();
    keepAlive(socket);
    const { face } = guardSocket(socket, { awaitsParams: announcesParams(req) });
    const handle = getWSConnectionHandler({
      // The handler asks for the server to announce reconnections; we do that socket by socket.
      wss: sockets,
      router: options.router,
      createContext: async ({ info }) => {
        const token = info.connectionParams?.['token'];
        const context = await makeContext(req, typeof token === 'string' ? token : null);
        attend(socket, context);
        return context;
      },
    });
    Reflect.apply(handle, undefined, [face, req]);
    socket.on('close', () => metrics.sockets.dec());
    // Refused frames (too large, malformed) close the socket by themselves; their error has been answered by then.
    socket.on('error', error => log.debug({ err: error }, 'a socket ended in an error'));
  });

  server.on('upgrade', (req: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', () => stream.destroy());
    if (stopping) return refuse(stream, 503, 'Service Unavailable');
    if (loggablePath(req.url) !== '/trpc') return refuse(stream, 404, 'Not Found');
    // tRPC's handler makes a URL of both, and throws where that cannot be.
    if (!URL.canParse(req.url ?? '', `http://${req.headers.host}`)) return refuse(stream, 400, 'Bad Request');
    if (!checkOrigin(req).ok) return refuse(stream, 403, 'Forbidden');
    const address = addressOf(req, trustProxy);
    if (perAddress.of(address) >= limits.socketsPerAddressCount)
      return refuse(stream, 429, 'Too Many Requests');
    sockets.handleUpgrade(req, stream, head, socket => {
      perAddress.add(address);
      socket.on('close', () => perAddress.remove(address));
      sockets.emit('connection', socket, req);
    });
  });

  return {
    async stop(withinMs) {
      stopping = true;
      const reconnect = JSON.stringify({ id: null, method: 'reconnect' });
      // The returns are spread out, so that the next process is not stormed.
      const spreadMs = Math.min(limits.reconnectSpreadMs, withinMs);
      const all = [...sockets.clients];
      const gone = all.map(
        socket => new Promise<void>(resolve => void socket.once('close', () => resolve())),
      );
      all.forEach((socket, index) => {
        setTimeout(
          () => {
            if (socket.readyState !== socket.OPEN) return;
            socket.send(reconnect);
            setTimeout(
              () => socket.close(closeCodes.restart, 'This process is stopping: reconnect'),
              250,
            ).unref();
          },
          (index * spreadMs) / all.length,
        );
      });
      const tooLong = new Promise<void>(resolve => void setTimeout(resolve, withinMs).unref());
      await Promise.race([Promise.all(gone), tooLong]);
      for (const socket of sockets.clients) socket.terminate();
    },
  };
}

function announcesParams(req: IncomingMessage): boolean {
  // Read as tRPC's handler reads it: who is told to wait for parameters here must be waited for there.
  return new URL(req.url ?? '', 'http://any').searchParams.get('connectionParams') === '1';
}

/** Half-open connections are found by pings, not by waiting for TCP. */
function keepAlive(socket: WebSocket): void {
  let answered = true;
  const timer = setInterval(() => {
    if (!answered) {
      socket.terminate();
      return;
    }
    answered = false;
    socket.ping();
  }, limits.socketPingMs);
  socket.on('pong', () => {
    answered = true;
  });
  socket.on('close', () => clearInterval(timer));
}

function refuse(stream: Duplex, status: number, reason: string): void {
  const later = status === 429 || status === 503 ? 'retry-after: 5\r\n' : '';
  stream.end(`HTTP/1.1 ${status} ${reason}\r\n${later}connection: close\r\ncontent-length: 0\r\n\r\n`);
}
