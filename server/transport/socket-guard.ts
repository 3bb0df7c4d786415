// Stands between a WebSocket and tRPC's handler, which it gives a socket of its own to talk to. What comes in is
// bounded (size of batches, messages a second, open subscriptions, the parameters' arrival); what goes out is not
// buffered without end for a reader that does not read.
import { EventEmitter } from 'node:events';
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc';
import { z } from 'zod';
import type { RawData, WebSocket } from 'ws';
import { errorTable, type ErrorCode } from '../errors.ts';
import { limits } from '../limits.ts';
import { createCallsInFlight } from './calls-in-flight.ts';

/** Close codes: below 4000 as RFC 6455 has them; 4401 asks for another token. */
export const closeCodes = { policy: 1008, tryLater: 1013, restart: 1012, unauthorized: 4401 } as const;

const paramsSchema = z.object({
  method: z.literal('connectionParams'),
  data: z.record(z.string(), z.string().nullable()).nullable(),
});
/** Nothing that tRPC would take may be refused here by accident, and nothing may pass that it reads otherwise. */
const callSchema = z.object({
  id: z.union([z.int(), z.string().max(64)]),
  jsonrpc: z.literal('2.0').optional(),
  method: z.enum(['query', 'mutation', 'subscription', 'subscription.stop']),
});

type Call = z.infer<typeof callSchema>;

export interface GuardedSocket extends EventEmitter {
  readonly readyState: number;
  send(data: string): void;
  close(code?: number, reason?: string): void;
  terminate(): void;
}

export interface SocketGuard {
  /** What tRPC's handler is given in the socket's place. */
  readonly face: GuardedSocket;
}

export function guardSocket(socket: WebSocket, options: { awaitsParams: boolean }): SocketGuard {
  const calls = createCallsInFlight();
  const face: GuardedSocket = Object.defineProperty(
    Object.assign(new EventEmitter(), {
      readyState: 0,
      send(data: string) {
        if (socket.bufferedAmount > limits.socketBufferedBytes) {
          socket.close(closeCodes.tryLater, 'You read too slowly: reconnect and resume');
          // A reader that does not read will not read the closing frame either.
          setTimeout(() => socket.terminate(), 1_000).unref();
          return;
        }
        calls.answered(data);
        socket.send(data);
      },
      close: (code?: number, reason?: string) => socket.close(code, reason),
      terminate: () => socket.terminate(),
    }),
    'readyState',
    { get: () => socket.readyState },
  );

  const forward = (text: string) => face.emit('message', Buffer.from(text), false);
  let awaitingParams = options.awaitsParams;
  const paramsTimer = awaitingParams
    ? setTimeout(
        () => socket.close(closeCodes.unauthorized, 'connectionParams were announced and did not come'),
        limits.socketParamsTimeoutMs,
      )
    : undefined;
  let windowStartMs = performance.now();
  let windowCount = 0;

  const countMessages = (count: number): boolean => {
    const nowMs = performance.now();
    if (nowMs - windowStartMs >= 1_000) {
      windowStartMs = nowMs;
      windowCount = 0;
    }
    windowCount += count;
    return windowCount <= limits.socketMessagesPerSec;
  };
  /** False where the message was answered here. */
  const admit = ({ id, method }: Call): boolean => {
    if (method === 'subscription.stop') return true;
    const kind = method === 'subscription' ? 'subscription' : 'call';
    if (kind === 'subscription' && calls.subscriptionsCount >= limits.socketSubscriptionsCount) {
      refuse(id, 'too-many', `A socket has at most ${limits.socketSubscriptionsCount} subscriptions`);
      return false;
    }
    if (calls.begin(id, kind)) return true;
    refuse(id, 'invalid-input', `The id ${JSON.stringify(id)} belongs to a call that is not answered yet`);
    return false;
  };
  const refuse = (id: string | number | null, reason: ErrorCode, message: string) =>
    face.send(JSON.stringify({ id, error: errorOf(reason, message) }));
  /** Counts what came in; false where that was too much, and the socket closes. */
  const withinRate = (count: number): boolean => {
    if (countMessages(count)) return true;
    socket.close(closeCodes.policy, `At most ${limits.socketMessagesPerSec} messages a second`);
    return false;
  };

  socket.on('message', (raw, isBinary) => {
    if (isBinary) {
      socket.close(closeCodes.policy, 'Text frames only');
      return;
    }
    const text = textOf(raw);
    if (text === 'PING' || text === 'PONG') {
      if (withinRate(1)) forward(text);
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      if (awaitingParams) socket.close(closeCodes.unauthorized, 'connectionParams are not JSON');
      else if (withinRate(1)) forward(text);
      return;
    }
    if (awaitingParams) {
      if (!paramsSchema.safeParse(message).success) {
        socket.close(closeCodes.unauthorized, 'connectionParams must be { method, data } with texts in data');
        return;
      }
      awaitingParams = false;
      clearTimeout(paramsTimer);
      forward(text);
      return;
    }
    const messages: unknown[] = Array.isArray(message) ? message : [message];
    if (messages.length > limits.batchCallsCount) {
      socket.close(closeCodes.policy, `A message holds at most ${limits.batchCallsCount} calls`);
      return;
    }
    if (!withinRate(Math.max(messages.length, 1))) return;
    const read = z.array(callSchema).safeParse(messages);
    if (!read.success) {
      refuse(null, 'invalid-input', 'A message is { id, method, params }, or a list of them');
      return;
    }
    const admitted = messages.filter((_, index) => {
      const call = read.data[index];
      return call !== undefined && admit(call);
    });
    if (admitted.length === messages.length) forward(text);
    else if (admitted.length > 0) forward(JSON.stringify(admitted));
  });
  // Control frames cost an answer as messages do.
  socket.on('ping', () => void withinRate(1));
  socket.on('pong', () => void withinRate(1));
  socket.on('error', error => face.emit('error', error));
  socket.on('close', (code, reason) => {
    clearTimeout(paramsTimer);
    face.emit('close', code, reason);
  });
  return { face };
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
