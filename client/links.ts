// The way to the server: calls over HTTP in batches, subscriptions live (live.ts says over what).
import { httpBatchLink, retryLink, splitLink, type HTTPBatchLinkOptions, type TRPCLink } from '@trpc/client';
import type { AnyTRPCClientTypes } from '@trpc/server';
import type { AppRouter } from '../server/api.ts';
import { failureOf } from './failure.ts';
import { createLive, type Transport } from './live.ts';

/** What a runtime without these brings along. */
export interface Ponyfills {
  readonly fetch?: typeof fetch;
  readonly WebSocket?: typeof WebSocket;
}

/** The server's own bounds: a batch has at most ten calls, and an address with its input must fit its headers. */
const batchCallsCount = 10;
const addressCharsMax = 8_000;

type LinkFetch = NonNullable<HTTPBatchLinkOptions<AnyTRPCClientTypes>['fetch']>;

/** tRPC asks for a `fetch` that takes an absent signal as undefined; the platform's takes it as null. */
export function linkFetch(own: typeof fetch): LinkFetch {
  return (input, init) => own(input, { ...init, signal: init?.signal ?? null });
}

export interface Connection {
  readonly links: TRPCLink<AppRouter>[];
  /** Subscriptions go on with the token of that moment. */
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
    onConnection?: ((state: 'open' | 'closed', via: Transport) => void) | undefined;
    transport?: Transport | 'auto' | undefined;
  } & Ponyfills,
): Connection {
  const { token, onUnauthorized, onConnection } = options;
  const base = options.url.replace(/\/+$/, '');
  const live = createLive({
    base,
    transport: options.transport ?? 'auto',
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    WebSocket: options.WebSocket,
    token: () => token('always'),
    onUnauthorized,
    onConnection: (state, via) => onConnection?.(state, via),
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
        true: live.link,
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
    reconnect: () => live.reconnect(),
    close: () => live.close(),
  };
}

/** Looking around needs no session; only what belongs to a buyer does. */
function isPublic(path: string): boolean {
  return /^(catalog|search|drop|session)\./.test(path);
}
