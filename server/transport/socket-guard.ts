// Stands between a WebSocket and tRPC's handler, which it gives a socket of its own to talk to. What comes in is
// bounded (size of batches, messages a second, open subscriptions, the parameters' arrival); what goes out is not
// buffered without end for a reader that does not read.
import { EventEmitter } from 'node:events';
import { z } from 'zod';
import type { RawData, WebSocket } from 'ws';
import { limits } from '../limits.ts';

/** Close codes: below 4000 as RFC 6455 has them; 4401 asks for another token. */
export const closeCodes = { policy: 1008, tryLater: 1013, restart: 1012, unauthorized: 4401 } as const;

const paramsSchema = z.object({
  method: z.literal('connectionParams'),
  data: z.record(z.string(), z.string().nullable()).nullable(),
});
const callSchema = z.object({
  id: z.union([z.number(), z.string()]),
  method: z.enum(['query', 'mutation', 'subscription', 'subscription.stop']),
});

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
  const openSubscriptions = new Set<string | number>();
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
  /** False where the message was answered here, or ended the socket. */
  const admit = (message: unknown): boolean => {
    const call = callSchema.safeParse(message);
    if (!call.success) return true;
    const { id, method } = call.data;
    if (method === 'subscription.stop') openSubscriptions.delete(id);
    if (method !== 'subscription') return true;
    if (openSubscriptions.size >= limits.socketSubscriptionsCount) {
      face.send(JSON.stringify({ id, error: tooManySubscriptions }));
      return false;
    }
    openSubscriptions.add(id);
    return true;
  };

  socket.on('message', (raw, isBinary) => {
    if (isBinary) {
      socket.close(closeCodes.policy, 'Text frames only');
      return;
    }
    const text = textOf(raw);
    if (text === 'PING' || text === 'PONG') {
      if (countMessages(1)) forward(text);
      else socket.close(closeCodes.policy, 'Too many messages');
      return;
    }
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      if (awaitingParams) socket.close(closeCodes.unauthorized, 'connectionParams are not JSON');
      else forward(text);
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
    if (!countMessages(messages.length)) {
      socket.close(closeCodes.policy, `At most ${limits.socketMessagesPerSec} messages a second`);
      return;
    }
    const admitted = messages.filter(admit);
    if (admitted.length === messages.length) forward(text);
    else if (admitted.length > 0) forward(JSON.stringify(admitted));
  });
  socket.on('error', error => face.emit('error', error));
  socket.on('close', (code, reason) => {
    clearTimeout(paramsTimer);
    face.emit('close', code, reason);
  });
  return { face };
}

const tooManySubscriptions = {
  message: `A socket has at most ${limits.socketSubscriptionsCount} subscriptions`,
  code: -32_029,
  data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429 },
};

/** A message as text; `ws` hands over one buffer, or the list of them that it came in. */
function textOf(raw: RawData): string {
  if (Buffer.isBuffer(raw)) return raw.toString('utf8');
  return Buffer.concat(Array.isArray(raw) ? raw : [new Uint8Array(raw)]).toString('utf8');
}
