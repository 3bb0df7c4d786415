// tRPC over WebSocket, at /trpc: who may connect, how long a socket lives, and how it is told to go elsewhere.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { AnyRouter } from '@trpc/server';
import type { Logger } from 'pino';
import { WebSocketServer } from 'ws';
import { PublicError } from '../errors.ts';
import { type Limits, limits as ourLimits } from '../limits.ts';
import type { Clock } from '../platform/clock.ts';
import { loggablePath, type Metrics } from '../platform/telemetry.ts';
import { createHub } from '../realtime/hub.ts';
import { SocketCalls } from '../realtime/socket-calls.ts';
import type { Context } from '../trpc.ts';
import { addressOf, type MakeContext } from './context.ts';
import { createCountsByKey } from './counts-by-key.ts';
import type { OriginCheck } from './origin.ts';
import { closeCodes, GuardedSocket, guardSocket, type SocketHost } from './socket-guard.ts';

export interface Sockets {
  /** Asks every client to reconnect elsewhere, then closes what is still open after `withinMs`. */
  stop(withinMs: number): Promise<void>;
}

/** From the request to reconnect until the close: a client that heeds it has gone by itself, and nothing is lost. */
const goodbyeMs = 250;

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
    /** Smaller ones, for who wants to reach them. */
    limits?: Limits;
  },
): Sockets {
  const { router, makeContext, checkOrigin, clock, metrics, log, trustProxy, limits = ourLimits } = options;
  const sockets = new WebSocketServer({
    noServer: true,
    WebSocket: GuardedSocket,
    // `open` knows them; a second set, with a listener for each socket, would only cost memory.
    clientTracking: false,
    maxPayload: limits.socketMessageBytes,
    maxFragments: limits.socketFragmentsCount,
    maxBufferedChunks: limits.socketChunksCount,
    // Ticks are small and many: compressing each costs more than it saves, and memory for every socket.
    perMessageDeflate: false,
  });
  const perAddress = createCountsByKey();
  const perBuyer = createCountsByKey();
  let stopping = false;

  const hub = createHub({ config: router._def._config });
  const open = new Set<GuardedSocket>();

  /** Sockets are counted by buyer once their context is made, and end when their token does. */
  const attend = (socket: GuardedSocket, { caller }: Context) => {
    // Making the context takes a while; a socket that has closed meanwhile would never be counted out again.
    if (caller.kind === 'nobody' || socket.readyState === socket.CLOSED) return;
    socket.tokenExpiresAtMs = caller.expiresAtMs ?? Infinity;
    if (caller.kind !== 'buyer') return;
    socket.buyerId = caller.buyerId;
    if (perBuyer.add(caller.buyerId) <= limits.socketsPerBuyerCount) return;
    const why = `A buyer has at most ${limits.socketsPerBuyerCount} sockets`;
    socket.close(closeCodes.policy, why);
    // Without a context, nothing that this socket has already sent is carried out.
    throw new PublicError('too-many', why);
  };
  /** Half-open connections are found by pings, not by waiting for TCP. */
  const sweep = setInterval(() => {
    const nowMs = performance.now();
    const clockMs = clock.now();
    for (const socket of open) {
      if (clockMs >= socket.tokenExpiresAtMs) {
        socket.close(closeCodes.unauthorized, 'The token has expired: renew it and reconnect');
      }
      if (!socket.answered) {
        if (nowMs >= socket.pingAtMs + limits.socketPongWaitMs) socket.terminate();
      } else if (nowMs >= socket.pingAtMs) {
        socket.answered = false;
        socket.pingAtMs = Math.round(nowMs);
        socket.ping();
      }
    }
  }, limits.socketSweepMs);
  sweep.unref();

  const shared = { router, hub };
  const serve = (socket: GuardedSocket, req: IncomingMessage, address: string) => {
    socket.address = address;
    socket.pingAtMs = Math.round(performance.now()) + limits.socketPingMs;
    open.add(socket);
    perAddress.add(address);
    metrics.sockets.inc();
    const calls = new SocketCalls(shared, socket);
    // The request is held only until the context is made: it is larger than all that stays.
    const begin = (token: string | null) =>
      calls.begin(async () => {
        const context = await makeContext(req, token);
        attend(socket, context);
        return context;
      });
    const awaitsParams = announcesParams(req);
    guardSocket(socket, {
      calls,
      host,
      onParams: awaitsParams ? params => begin(params?.['token'] ?? null) : null,
      paramsWithinMs: limits.socketParamsTimeoutMs,
    });
    if (!awaitsParams) begin(null);
    socket.on('error', onError);
  };
  const host: SocketHost = {
    ponged(socket) {
      if (socket.answered) return;
      socket.answered = true;
      socket.pingAtMs += limits.socketPingMs;
    },
    closed(socket) {
      if (!open.delete(socket)) return;
      perAddress.remove(socket.address);
      if (socket.buyerId !== null) perBuyer.remove(socket.buyerId);
      metrics.sockets.dec();
    },
  };
  // Refused frames (too large, malformed) close the socket by themselves; their error has been answered by then.
  const onError = (error: Error) => log.debug({ err: error }, 'a socket ended in an error');

  server.on('upgrade', (req: IncomingMessage, stream: Duplex, head: Buffer) => {
    stream.on('error', destroy);
    if (stopping) return refuse(stream, 503, 'Service Unavailable');
    if (loggablePath(req.url) !== '/trpc') return refuse(stream, 404, 'Not Found');
    if (!URL.canParse(req.url ?? '', `http://${req.headers.host}`)) return refuse(stream, 400, 'Bad Request');
    if (!checkOrigin(req).ok) return refuse(stream, 403, 'Forbidden');
    const address = addressOf(req, trustProxy);
    if (perAddress.of(address) >= limits.socketsPerAddressCount)
      return refuse(stream, 429, 'Too Many Requests');
    // From here on the stream's errors are the socket's.
    stream.off('error', destroy);
    sockets.handleUpgrade(req, stream, head, socket => serve(socket, req, address));
  });

  return {
    async stop(withinMs) {
      stopping = true;
      const reconnect = JSON.stringify({ id: null, method: 'reconnect' });
      // The returns are spread out, so that the next process is not stormed.
      const spreadMs = Math.max(0, Math.min(limits.reconnectSpreadMs, withinMs - 2 * goodbyeMs));
      const leaving = [...open];
      const gone = leaving.map(
        socket => new Promise<void>(resolve => void socket.once('close', () => resolve())),
      );
      leaving.forEach((socket, index) => {
        setTimeout(
          () => {
            if (socket.readyState !== socket.OPEN) return;
            socket.send(reconnect);
            setTimeout(
              () => socket.close(closeCodes.restart, 'This process is stopping: reconnect'),
              goodbyeMs,
            ).unref();
          },
          (index * spreadMs) / leaving.length,
        );
      });
      const tooLong = new Promise<void>(resolve => void setTimeout(resolve, withinMs).unref());
      await Promise.race([Promise.all(gone), tooLong]);
      for (const socket of open) socket.terminate();
      clearInterval(sweep);
    },
  };
}

function announcesParams(req: IncomingMessage): boolean {
  // Read as tRPC's handler reads it: who is told to wait for parameters here must be waited for there.
  return new URL(req.url ?? '', 'http://any').searchParams.get('connectionParams') === '1';
}

/** A function for all: one for each connection would hold its request as long as the socket lives. */
function destroy(this: Duplex): void {
  this.destroy();
}

function refuse(stream: Duplex, status: number, reason: string): void {
  const later = status === 429 || status === 503 ? 'retry-after: 5\r\n' : '';
  stream.end(`HTTP/1.1 ${status} ${reason}\r\n${later}connection: close\r\ncontent-length: 0\r\n\r\n`);
}
