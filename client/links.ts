// The way to the server: calls over HTTP in batches, subscriptions over one WebSocket that comes back by itself and
// resumes where it was (tRPC sends the id of the last event that it saw).
import {
  createWSClient,
  httpBatchLink,
  retryLink,
  splitLink,
  wsLink,
  type HTTPBatchLinkOptions,
  type TRPCLink,
} from '@trpc/client';
import type { AnyTRPCClientTypes } from '@trpc/server';
import type { AppRouter } from '../server/api.ts';
import { fullJitterMs } from './backoff.ts';
import { failureOf } from './failure.ts';

/** What a runtime without these brings along. */
export interface Ponyfills {
  readonly fetch?: typeof fetch;
  readonly WebSocket?: typeof WebSocket;
}

/** The server's own bounds: a batch has at most ten calls, and an address with its input must fit its headers. */
const batchCallsCount = 10;
const addressCharsMax = 8_000;
/** A call must outlast a reconnection: the server gives a call at least twice this to be claimed. */
const reconnectMs = { firstMs: 500, maxMs: 5_000 };
/** The socket stays open this long after the last subscription: a page change does not cost a handshake. */
const lingerMs = 3_000;
const keepAlive = { enabled: true, intervalMs: 20_000, pongTimeoutMs: 10_000 };
const closedUnauthorized = 4401;

type LinkFetch = NonNullable<HTTPBatchLinkOptions<AnyTRPCClientTypes>['fetch']>;

/** tRPC asks for a `fetch` that takes an absent signal as undefined; the platform's takes it as null. */
export function linkFetch(own: typeof fetch): LinkFetch {
  return (input, init) => own(input, { ...init, signal: init?.signal ?? null });
}

export interface Connection {
  readonly links: TRPCLink<AppRouter>[];
  /** Closes the socket; it comes back with the token of that moment. */
  reconnect(): void;
  close(): Promise<void>;
}

export function createConnection(
  options: {
    /** The server's address without a path, as `https://shop.example`. */
    url: string;
    /** A good token; `ifAny` where it is not worth starting a session for. */
    token: (need: 'always' | 'if-any') => Promise<string | null>;
    /** The token was refused; true where there will be another one. */
    onUnauthorized: () => boolean;
    onConnection?: ((state: 'open' | 'closed') => void) | undefined;
  } & Ponyfills,
): Connection {
  const { token, onUnauthorized, onConnection } = options;
  const base = options.url.replace(/\/+$/, '');
  let told: 'open' | 'closed' = 'closed';
  // Each vain try to come back ends in a close as well; a page is told of changes only.
  const tell = (state: 'open' | 'closed') => {
    if (state === told) return;
    told = state;
    onConnection?.(state);
  };
  const socket = createWSClient({
    url: `${base.replace(/^http/, 'ws')}/trpc`,
    lazy: { enabled: true, closeMs: lingerMs },
    keepAlive,
    retryDelayMs: attempt => fullJitterMs(attempt, reconnectMs),
    connectionParams: async () => ({ token: (await token('always')) ?? '' }),
    onOpen: () => tell('open'),
    onClose(cause) {
      if (cause?.code === closedUnauthorized) onUnauthorized();
      tell('closed');
    },
    ...(options.WebSocket ? { WebSocket: options.WebSocket } : {}),
  });
  const calls = httpBatchLink<AppRouter>({
    url: `${base}/trpc`,
    maxItems: batchCallsCount,
    maxURLLength: addressCharsMax,
    async headers({ opList }) {
      const own = await token(opList.every(({ path }) => isPublic(path)) ? 'if-any' : 'always');
      return own === null ? {} : { authorization: `Bearer ${own}` };
    },
    ...(options.fetch ? { fetch: linkFetch(options.fetch) } : {}),
  });
  return {
    links: [
      splitLink<AppRouter>({
        condition: operation => operation.type === 'subscription',
        true: wsLink<AppRouter>({ client: socket }),
        // A token that was refused is replaced once, and the call made again; all else is the caller's to decide.
        false: [
          retryLink<AppRouter>({
            retry({ error, attempts }) {
              if (attempts > 1 || failureOf(error).retry !== 'with-new-token') return false;
              return onUnauthorized();
            },
          }),
          calls,
        ],
      }),
    ],
    reconnect: () => socket.connection?.ws?.close(),
    close: () => socket.close(),
  };
}

/** Looking around needs no session; only what belongs to a buyer does. */
function isPublic(path: string): boolean {
  return /^(catalog|search|drop|session)\./.test(path);
}
