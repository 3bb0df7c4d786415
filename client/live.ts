// Which way subscriptions go: over one WebSocket that comes back by itself, or, where something between here and the
// server lets no WebSocket through, over Server-Sent Events.
//
// What always holds: a subscription is on one way at a time and outlives a change of ways, resuming behind the last
// event that it saw; and a server that is merely away is no reason for a change, since SSE costs it a connection for
// each subscription. So SSE is taken only when WebSockets fail while plain HTTP to the same address works, and given
// up as soon as a WebSocket opens again: a laptop leaves the office whose proxy was in the way.
import {
  createWSClient,
  httpSubscriptionLink,
  wsLink,
  type Operation,
  type OperationLink,
  type TRPCLink,
} from '@trpc/client';
import { observable, type Unsubscribable } from '@trpc/server/observable';
import type { AppRouter } from '../server/api.ts';
import { fullJitterMs } from './backoff.ts';
import { createEventSource } from './event-source.ts';

export type Transport = 'websocket' | 'sse';

export interface Live {
  readonly link: TRPCLink<AppRouter>;
  /** Closes the socket; it comes back with the token of that moment. (SSE brings it with each connection.) */
  reconnect(): void;
  close(): Promise<void>;
}

export interface LiveOptions {
  /** The server's address without a path. */
  readonly base: string;
  readonly transport: Transport | 'auto';
  readonly fetch: typeof fetch;
  readonly WebSocket: typeof WebSocket | undefined;
  readonly token: () => Promise<string | null>;
  readonly onUnauthorized: () => void;
  readonly onConnection: (state: 'open' | 'closed', via: Transport) => void;
  /** How often a WebSocket is tried while SSE stands in for it. */
  readonly againMs?: number;
  /** Some proxies neither let a WebSocket through nor refuse it: then it is given up after this. */
  readonly openWithinMs?: number;
}

/** A call must outlast a reconnection: the server gives a call at least twice this to be claimed. */
const reconnectMs = { firstMs: 500, maxMs: 5_000 };
/** The socket stays open this long after the last subscription: a page change does not cost a handshake. */
const lingerMs = 3_000;
const keepAlive = { enabled: true, intervalMs: 20_000, pongTimeoutMs: 10_000 };
const closedUnauthorized = 4401;
/** One failed opening may be chance; from the second one on, plain HTTP is asked whether it fares better. */
const failuresCountMax = 2;
const openWithinMsDefault = 8_000;
const answerWithinMs = 8_000;
const againMsDefault = 60_000;

interface Running {
  /** Goes on over the present way. */
  begin(): void;
  end(): void;
}

export function createLive(options: LiveOptions): Live {
  const { base, transport, token, onUnauthorized, againMs = againMsDefault } = options;
  const { openWithinMs = openWithinMsDefault } = options;
  const socketUrl = `${base.replace(/^http/, 'ws')}/trpc`;
  const isSocketPossible = transport !== 'sse' && (options.WebSocket ?? globalThis.WebSocket) !== undefined;
  let via: Transport = isSocketPossible || transport === 'websocket' ? 'websocket' : 'sse';
  let isSocketOpen = false;
  let failuresCount = 0;
  let streamsOpenCount = 0;
  let closed = false;
  let openTimer: ReturnType<typeof setTimeout> | undefined;
  let againTimer: ReturnType<typeof setTimeout> | undefined;
  const running = new Set<Running>();

  let told: { state: 'open' | 'closed'; by: Transport } = { state: 'closed', by: via };
  // Each vain try to come back ends in a close as well; a page is told of changes only.
  const tell = (state: 'open' | 'closed', by: Transport) => {
    if (by !== via || (state === told.state && (by === told.by || state === 'closed'))) return;
    told = { state, by };
    options.onConnection(state, by);
  };

  const socket = isSocketPossible || transport === 'websocket' ? makeSocket() : null;
  function makeSocket() {
    return createWSClient({
      url: socketUrl,
      lazy: { enabled: true, closeMs: lingerMs },
      keepAlive,
      retryDelayMs: attempt => fullJitterMs(attempt, reconnectMs),
      connectionParams: async () => ({ token: (await token()) ?? '' }),
      onOpen() {
        isSocketOpen = true;
        failuresCount = 0;
        httpAnswered = false;
        stopWatchingOpening();
        tell('open', 'websocket');
      },
      onClose(cause) {
        if (cause?.code === closedUnauthorized) onUnauthorized();
        if (!isSocketOpen) failuresCount += 1;
        isSocketOpen = false;
        tell('closed', 'websocket');
        if (failuresCount >= failuresCountMax) void doubtSockets({ isLast: httpAnswered });
      },
      ...(options.WebSocket ? { WebSocket: options.WebSocket } : {}),
    });
  }

  let isDoubting = false;
  let httpAnswered = false;
  /**
   * Looks whether it is only the WebSockets that fail. A server that is just coming back answers HTTP, too: so it takes
   * a socket that fails after that answer, or hangs, for subscriptions to move to SSE.
   */
  async function doubtSockets({ isLast }: { isLast: boolean }): Promise<void> {
    if (transport !== 'auto' || isDoubting || via === 'sse') return;
    isDoubting = true;
    httpAnswered = await answersHttp(options.fetch, base);
    isDoubting = false;
    if (!isLast || !httpAnswered || isSocketOpen || closed || running.size === 0) return;
    moveTo('sse');
    void closeSocket();
    trySocketLater();
  }

  function moveTo(next: Transport): void {
    via = next;
    failuresCount = 0;
    httpAnswered = false;
    stopWatchingOpening();
    for (const each of running) each.begin();
  }

  function closeSocket(): Promise<void> {
    // tRPC waits for a socket that is being opened, which one that hangs never is.
    if (!isSocketOpen) socket?.connection?.ws?.close();
    return socket?.close() ?? Promise.resolve();
  }

  function trySocketLater(): void {
    clearTimeout(againTimer);
    if (closed || via === 'websocket') return;
    againTimer = setTimeout(trySocket, againMs * (0.75 + Math.random() / 2));
    letGo(againTimer);
  }

  function trySocket(): void {
    if (running.size === 0) {
      // Nobody would notice: the next subscription tries the WebSocket first, as the first one did.
      via = 'websocket';
      return;
    }
    const Socket = options.WebSocket ?? globalThis.WebSocket;
    const trial = new Socket(socketUrl);
    trial.addEventListener('open', () => {
      trial.close();
      if (!closed && via === 'sse') moveTo('websocket');
    });
    trial.addEventListener('close', trySocketLater);
    // Some implementations throw an error that nobody listens to; that it failed, its close says.
    trial.addEventListener('error', () => undefined);
  }

  /** From when a socket is wanted: one that is neither open nor refused by then is doubted, too. */
  function watchOpening(): void {
    if (isSocketOpen || transport !== 'auto' || openTimer !== undefined) return;
    openTimer = setTimeout(() => {
      openTimer = undefined;
      void doubtSockets({ isLast: true });
    }, openWithinMs);
    letGo(openTimer);
  }
  function stopWatchingOpening(): void {
    clearTimeout(openTimer);
    openTimer = undefined;
  }

  const overStreams = httpSubscriptionLink<AppRouter, ReturnType<typeof createEventSource>>({
    url: `${base}/trpc`,
    EventSource: createEventSource({
      fetch: options.fetch,
      reconnectMs,
      async headers() {
        const own = await token();
        return own === null ? {} : { authorization: `Bearer ${own}` };
      },
    }),
  });

  const link: TRPCLink<AppRouter> = runtime => {
    const ways: Record<Transport, OperationLink<AppRouter> | null> = {
      websocket: socket ? wsLink<AppRouter>({ client: socket })(runtime) : null,
      sse: overStreams(runtime),
    };
    return ({ op, next }) =>
      observable(observer => {
        let generation = 0;
        let lastEventId: string | undefined;
        let current: Unsubscribable | null = null;
        let isStreamOpen = false;
        const countStream = (isOpen: boolean) => {
          if (isOpen === isStreamOpen) return;
          isStreamOpen = isOpen;
          streamsOpenCount += isOpen ? 1 : -1;
          tell(streamsOpenCount > 0 ? 'open' : 'closed', 'sse');
        };
        const begin = () => {
          generation += 1;
          const mine = generation;
          const before = current;
          const way = via === 'websocket' ? (ways.websocket ?? ways.sse) : ways.sse;
          if (via === 'websocket') watchOpening();
          // The way that is left says that it is complete; that is no end of the subscription.
          before?.unsubscribe();
          countStream(false);
          const begun = way?.({ op: behind(op, lastEventId), next }).subscribe({
            next(event) {
              if (mine !== generation) return;
              const { result } = event;
              if ('id' in result && typeof result.id === 'string') lastEventId = result.id;
              if (via === 'sse' && result.type === 'state') countStream(result.state === 'pending');
              observer.next(event);
            },
            error(error) {
              if (mine === generation) observer.error(error);
            },
            complete() {
              if (mine === generation) observer.complete();
            },
          });
          current = begun ?? null;
        };
        const own: Running = { begin, end: () => observer.complete() };
        running.add(own);
        begin();
        return () => {
          generation += 1;
          running.delete(own);
          current?.unsubscribe();
          countStream(false);
          if (running.size === 0) stopWatchingOpening();
        };
      });
  };

  return {
    link,
    reconnect: () => socket?.connection?.ws?.close(),
    async close() {
      closed = true;
      stopWatchingOpening();
      clearTimeout(againTimer);
      for (const each of running) each.end();
      await closeSocket();
    },
  };
}

/** The same subscription, from behind an event. */
function behind(op: Operation, lastEventId: string | undefined): Operation {
  if (lastEventId === undefined) return op;
  const input = typeof op.input === 'object' && op.input !== null ? op.input : {};
  return { ...op, input: { ...input, lastEventId } };
}

/** Whether the server, or what stands before it, answers a plain request: with anything but its own failure. */
async function answersHttp(ownFetch: typeof fetch, base: string): Promise<boolean> {
  try {
    const response = await ownFetch(`${base}/trpc/`, {
      cache: 'no-store',
      signal: AbortSignal.timeout(answerWithinMs),
    });
    await response.body?.cancel();
    return response.status < 500;
  } catch {
    return false;
  }
}

/** In Node, a timer would keep a program alive that is otherwise done. */
function letGo(timer: ReturnType<typeof setTimeout>): void {
  if (typeof timer === 'object' && 'unref' in timer) timer.unref();
}
