// Stands between a WebSocket and the calls on it. What comes in is bounded (size of batches, messages a second, the
// parameters' arrival, the length of ids); what goes out is not buffered without end for a reader that does not read.
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import { z } from 'zod';
import { WebSocket, type RawData } from 'ws';
import { errorTable, type ErrorCode } from '../errors.ts';
import type { BuyerId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { SocketCalls, Wire } from '../realtime/socket-calls.ts';

/** Close codes: below 4000 as RFC 6455 has them; 4401 asks for another token. */
export const closeCodes = { policy: 1008, tryLater: 1013, restart: 1012, unauthorized: 4401 } as const;

const paramsSchema = z.object({
  method: z.literal('connectionParams'),
  data: z.record(z.string(), z.string().nullable()).nullable(),
});
export type ConnectionParams = z.infer<typeof paramsSchema>['data'];

/** Whoever keeps the sockets: the same for all of them. */
export interface SocketHost {
  ponged(socket: GuardedSocket): void;
  closed(socket: GuardedSocket): void;
}

/**
 * A socket with what is to be known of it. All that there is for each socket is a field here, and the listeners are
 * the same functions for all: at many thousands, closures would cost more than the sockets.
 */
export class GuardedSocket extends WebSocket implements Wire {
  calls: SocketCalls | null = null;
  host: SocketHost | null = null;
  /** Told of the connection's parameters; null once they have come, or where none were announced. */
  onParams: ((params: ConnectionParams) => void) | null = null;
  paramsTimer: NodeJS.Timeout | null = null;
  windowStartMs = 0;
  windowCount = 0;
  address = '';
  /** Null until the context is made, and where nobody has signed in. */
  buyerId: BuyerId | null = null;
  /** By the engine's clock. */
  tokenExpiresAtMs = Infinity;
  /** When the next ping is due, or when the last one left that is not answered; by the process' own timer. */
  pingAtMs = 0;
  answered = true;

  reply(text: string): void {
    if (this.bufferedAmount <= limits.socketBufferedBytes) {
      this.send(text);
      return;
    }
    this.close(closeCodes.tryLater, 'You read too slowly: reconnect and resume');
    // A reader that does not read will not read the closing frame either.
    setTimeout(() => this.terminate(), 1_000).unref();
  }
}

/** Hands on to `calls` what comes in, within the bounds; `onParams` is told of the connection's parameters, once. */
export function guardSocket(
  socket: GuardedSocket,
  options: {
    calls: SocketCalls;
    host: SocketHost;
    onParams: GuardedSocket['onParams'];
    paramsWithinMs: number;
  },
): void {
  socket.calls = options.calls;
  socket.host = options.host;
  socket.onParams = options.onParams;
  if (socket.onParams) socket.paramsTimer = setTimeout(giveUpOnParams, options.paramsWithinMs, socket);
  socket.on('message', onMessage);
  // Control frames cost an answer as messages do.
  socket.on('ping', onPing);
  socket.on('pong', onPong);
  socket.on('close', onClose);
}

function onMessage(this: WebSocket, raw: RawData, isBinary: boolean): void {
  // What arrives behind a refusal is not carried out.
  if (!(this instanceof GuardedSocket) || this.readyState !== WebSocket.OPEN) return;
  if (isBinary) {
    this.close(closeCodes.policy, 'Text frames only');
    return;
  }
  const text = textOf(raw);
  if (text === 'PING' || text === 'PONG') {
    if (withinRate(this, 1) && text === 'PING') this.reply('PONG');
    return;
  }
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch (cause) {
    if (this.onParams) this.close(closeCodes.unauthorized, 'connectionParams are not JSON');
    else if (withinRate(this, 1)) this.calls?.receiveMalformed(cause);
    return;
  }
  if (this.onParams) receiveParams(this, this.onParams, message);
  else receiveCalls(this, message);
}

function receiveParams(
  socket: GuardedSocket,
  onParams: (params: ConnectionParams) => void,
  message: unknown,
): void {
  const params = paramsSchema.safeParse(message);
  if (!params.success) {
    socket.close(closeCodes.unauthorized, 'connectionParams must be { method, data } with texts in data');
    return;
  }
  forgetParams(socket);
  onParams(params.data.data);
}

function receiveCalls(socket: GuardedSocket, message: unknown): void {
  const messages: unknown[] = Array.isArray(message) ? message : [message];
  if (messages.length > limits.batchCallsCount) {
    socket.close(closeCodes.policy, `A message holds at most ${limits.batchCallsCount} calls`);
    return;
  }
  if (!withinRate(socket, Math.max(messages.length, 1))) return;
  if (messages.some(hasLongId)) {
    const error = errorOf('invalid-input', `An id has at most ${limits.socketIdChars} characters`);
    socket.reply(JSON.stringify({ id: null, error }));
    return;
  }
  socket.calls?.receive(message);
}

function onPing(this: WebSocket): void {
  if (this instanceof GuardedSocket) withinRate(this, 1);
}

function onPong(this: WebSocket): void {
  if (this instanceof GuardedSocket && withinRate(this, 1)) this.host?.ponged(this);
}

function onClose(this: WebSocket): void {
  if (!(this instanceof GuardedSocket)) return;
  forgetParams(this);
  this.calls?.end();
  this.host?.closed(this);
}

function giveUpOnParams(socket: GuardedSocket): void {
  socket.close(closeCodes.unauthorized, 'connectionParams were announced and did not come');
}

function forgetParams(socket: GuardedSocket): void {
  if (socket.paramsTimer) clearTimeout(socket.paramsTimer);
  socket.paramsTimer = null;
  socket.onParams = null;
}

/** Counts what came in; false where that was too much, and the socket closes. */
function withinRate(socket: GuardedSocket, count: number): boolean {
  const nowMs = Math.round(performance.now());
  if (nowMs - socket.windowStartMs >= 1_000) {
    socket.windowStartMs = nowMs;
    socket.windowCount = 0;
  }
  socket.windowCount += count;
  if (socket.windowCount <= limits.socketMessagesPerSec) return true;
  socket.close(closeCodes.policy, `At most ${limits.socketMessagesPerSec} messages a second`);
  return false;
}

/** An id comes back in each frame of its subscription, so it must not be long; all else is tRPC's to judge. */
function hasLongId(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !('id' in message)) return false;
  return typeof message.id === 'string' && message.id.length > limits.socketIdChars;
}

/** An error in tRPC's shape, for what does not reach tRPC. */
function errorOf(reason: ErrorCode, message: string) {
  const { trpc, http } = errorTable[reason];
  return { message, code: TRPC_ERROR_CODES_BY_KEY[trpc], data: { code: trpc, httpStatus: http, reason } };
}

/** A message as text; `ws` hands over one buffer, or the list of them that it came in. */
function textOf(raw: RawData): string {
  if (Buffer.isBuffer(raw)) return raw.toString('utf8');
  return Buffer.concat(Array.isArray(raw) ? raw : [new Uint8Array(raw)]).toString('utf8');
}
