// Doorbuster's typed client, for browsers and for Node. Under it is the unmodified @trpc/client: `api` is exactly
// that, typed by the server's own router; what stands around it is what every page needs besides (who the buyer is,
// the way back after a lost connection, the server's clock, the way through the queue).
//
//   const shop = createDoorbuster({ url: 'https://shop.example' });
//   for await (const step of shop.joinAndWait({ dropId })) console.log(step.kind);
import { createTRPCClient, httpLink } from '@trpc/client';
import { checkout, type CheckoutOutcome, type CheckoutRequest } from './checkout.ts';
import { createServerClock, type ServerClock } from './clock.ts';
import { countdown, type CountdownOptions } from './countdown.ts';
import { createConnection, linkFetch, type Ponyfills } from './links.ts';
import type { Transport } from './live.ts';
import { createPlacing, type Place } from './place.ts';
import { joinAndWait, watchTicket, type QueueStep, type WaitOptions } from './queue.ts';
import type { RetryOptions } from './retry.ts';
import { createSessionKeeper, type Session } from './session.ts';
import { followForGood } from './subscription.ts';
import type { Api, AppRouter, DropWatch, OrderWatch, TicketStatus } from './types.ts';

export interface DoorbusterOptions extends Ponyfills {
  /** The server's address without a path, as `https://shop.example`. */
  readonly url: string;
  /** The shop's own token of a customer, or an admin key. Without it the client keeps a guest's session itself. */
  readonly token?: string | (() => string | Promise<string>);
  /**
   * A guest's session from before, as `onSession` gave it. A function is asked again before each new session, which the
   * tabs of one browser begin one at a time (by the Web Locks of a secure page), so that together they are one buyer.
   */
  readonly session?: Session | (() => Session | null);
  /** Told of each new session, to keep it over a page reload. */
  readonly onSession?: (session: Session) => void;
  /** Told when live updates begin to flow or stop, and over what. */
  readonly onConnection?: (state: 'open' | 'closed', via: Transport) => void;
  /** `auto` (the default): a WebSocket, or Server-Sent Events where something on the way lets no WebSocket through. */
  readonly transport?: Transport | 'auto';
}

export interface Doorbuster {
  readonly api: Api;
  readonly clock: ServerClock;
  /** The guest's session; starts one where there is none. Null where the client was given a token. */
  session(): Promise<Session | null>;
  /** Estimates the server's clock by several round trips to a drop. */
  syncClock(dropId: string, samplesCount?: number): Promise<void>;
  /** The whole seconds left to an instant of the server's clock: at once, at each change, and 0 as the last. */
  countdown(options: CountdownOptions): AsyncGenerator<number, void, void>;
  /** The drop now, and each change, for good; keeps the clock right as it goes. */
  watchDrop(dropId: string, signal?: AbortSignal): AsyncGenerator<DropWatch, void, void>;
  joinAndWait(options: WaitOptions): AsyncGenerator<QueueStep, void, void>;
  watchTicket(ticket: string, signal?: AbortSignal): AsyncGenerator<TicketStatus, void, void>;
  /** The order now, and each change of its status, for good. */
  watchOrder(orderId: string, signal?: AbortSignal): AsyncGenerator<OrderWatch, void, void>;
  checkout(request: CheckoutRequest, retry?: RetryOptions): Promise<CheckoutOutcome>;
  /** Where a ticket stands in what `watchDrop` last said; null while nobody has a rank. */
  placeOf(ticket: { lane: string; arrival: number }, watch: DropWatch): Place | null;
  close(): Promise<void>;
}

export function createDoorbuster(options: DoorbusterOptions): Doorbuster {
  const clock = createServerClock();
  const ponyfills: Ponyfills = {
    ...(options.fetch ? { fetch: options.fetch } : {}),
    ...(options.WebSocket ? { WebSocket: options.WebSocket } : {}),
  };
  const given = options.token;
  const keeper = given === undefined ? createGuest(options, clock) : null;

  const onUnauthorized = (): boolean => {
    keeper?.doubt();
    return keeper !== null;
  };
  const connection = createConnection({
    url: options.url,
    async token(need) {
      if (keeper === null) return typeof given === 'function' ? given() : (given ?? null);
      return need === 'always' || keeper.current() !== null ? keeper.token() : null;
    },
    onUnauthorized,
    onConnection: options.onConnection,
    transport: options.transport,
    ...ponyfills,
  });
  const api = createTRPCClient<AppRouter>({ links: connection.links });
  // What is watched for good ends with the client.
  const ending = new AbortController();
  const untilClosed = (signal: AbortSignal | undefined): AbortSignal =>
    signal ? AbortSignal.any([signal, ending.signal]) : ending.signal;
  // A socket keeps the token that it came with, so another token needs another socket.
  const deps = {
    api,
    onUnauthorized: () => {
      if (onUnauthorized()) connection.reconnect();
    },
  };

  return {
    api,
    clock,
    session: async () => (keeper ? keeper.start() : null),
    syncClock: (dropId, samplesCount) =>
      clock.sync(async () => (await api.drop.get.query({ dropId })).serverTimeMs, samplesCount),
    countdown: to => countdown(clock, { ...to, signal: untilClosed(to.signal) }),
    async *watchDrop(dropId, signal) {
      const events = followForGood<{ data: DropWatch }>(
        handlers => api.drop.watch.subscribe({ dropId }, handlers),
        { signal: untilClosed(signal), keep: 'newest', onUnauthorized: deps.onUnauthorized },
      );
      for await (const { data } of events) {
        clock.hear(data.serverTimeMs);
        yield data;
      }
    },
    joinAndWait: wait => joinAndWait(deps, { ...wait, signal: untilClosed(wait.signal) }),
    watchTicket: (ticket, signal) => watchTicket(deps, { ticket, signal: untilClosed(signal) }),
    async *watchOrder(orderId, signal) {
      const events = followForGood<{ data: OrderWatch }>(
        handlers => api.order.watch.subscribe({ orderId }, handlers),
        { signal: untilClosed(signal), keep: 'all', onUnauthorized: deps.onUnauthorized },
      );
      for await (const { data } of events) yield data;
    },
    checkout: (request, retry) => checkout(api, request, retry),
    placeOf: createPlacing(),
    async close() {
      ending.abort();
      keeper?.stop();
      await connection.close();
    },
  };
}

/** Sessions are kept over a connection of their own, since every other call waits for a session first. */
function createGuest(options: DoorbusterOptions, clock: ServerClock) {
  const url = `${options.url.replace(/\/+$/, '')}/trpc`;
  const callWith = (token: string | null) =>
    createTRPCClient<AppRouter>({
      links: [
        httpLink<AppRouter>({
          url,
          ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
          ...(options.fetch ? { fetch: linkFetch(options.fetch) } : {}),
        }),
      ],
    });
  return createSessionKeeper({
    startSession: () => callWith(null).session.start.mutate(),
    renewSession: ({ token }) => callWith(token).session.renew.mutate(),
    now: () => clock.now(),
    saved: options.session,
    onSession: options.onSession,
    alone:
      typeof options.session === 'function'
        ? work => amongTabs(`doorbuster.session ${url}`, work)
        : undefined,
  });
}

/** Runs the work while no other tab runs work of this name; at once where the browser, or another runtime, has no locks. */
async function amongTabs<T>(name: string, work: () => Promise<T>): Promise<T> {
  const locks = typeof navigator === 'undefined' ? undefined : navigator.locks;
  return locks ? locks.request(name, work) : work();
}

export { joinThroughGate, solveChallenge, type Challenge } from './bot-gate.ts';
export { failureOf, type Failure } from './failure.ts';
export { withRetries, type RetryOptions } from './retry.ts';
export { randomNonce, type QueueStep, type WaitOptions } from './queue.ts';
export type { CheckoutOutcome, CheckoutRequest } from './checkout.ts';
export type { ServerClock } from './clock.ts';
export { secondsLeft, type CountdownOptions } from './countdown.ts';
export { priceAt, type PriceNow } from './falling-price.ts';
export type { Transport } from './live.ts';
export type { Place } from './place.ts';
export type { Session } from './session.ts';
export type {
  Api,
  ApiInputs,
  ApiOutputs,
  AppRouter,
  DropView,
  DropWatch,
  JoinOutcome,
  OrderWatch,
  PayOutcome,
  TicketStatus,
} from './types.ts';
