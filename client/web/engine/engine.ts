// The page's one connection to the engine: the typed client, told where the page came from, with the session kept
// over a reload and the state of the connection as something to show.
import { createDoorbuster, type Doorbuster, type ServerClock } from '../../index.ts';
import { createValueStore, type ValueStore } from '../live/value-store.ts';
import { keptSession, keepSession } from './kept.ts';
import type { DropWatch, OrderWatch, TicketStatus } from './types.ts';

/** `idle` where nothing is watched: a page without a drop needs no connection, and cannot lose one. */
export type LinkState = 'idle' | 'connecting' | 'open' | 'lost';

type Stop = () => void;
type OnError = (error: unknown) => void;

export interface Engine {
  readonly api: Doorbuster['api'];
  readonly clock: ServerClock;
  readonly link: ValueStore<LinkState>;
  readonly placeOf: Doorbuster['placeOf'];
  /** A round trip or more to know the server's clock by. */
  readonly syncClock: (dropId: string) => Promise<void>;
  /** Each of these tells the current truth first, then each change, over every reconnection, until it is stopped. */
  readonly watchDrop: (dropId: string, listener: (watch: DropWatch) => void, onError?: OnError) => Stop;
  readonly watchTicket: (ticket: string, listener: (status: TicketStatus) => void, onError?: OnError) => Stop;
  readonly watchOrder: (orderId: string, listener: (order: OrderWatch) => void, onError?: OnError) => Stop;
}

/**
 * The engine repeats what is true of a watched drop every five seconds at the latest. Silence for longer than two of
 * those is a connection that is gone, even where no end of it was heard: a peer that froze, a network that swallows.
 */
const silenceMs = 12_000;
const silenceLookMs = 2_000;

export function createEngine(url: string): Engine {
  const link = createValueStore<LinkState>('idle');
  let watchesCount = 0;
  const saved = keptSession();
  const shop = createDoorbuster({
    url,
    ...(saved ? { session: saved } : {}),
    onSession: keepSession,
    onConnection(state) {
      if (state === 'open') link.set('open');
      else link.set(watchesCount > 0 ? 'lost' : 'idle');
    },
  });

  let dropWatchesCount = 0;
  let heardAtMs = 0;
  const hear = () => {
    heardAtMs = performance.now();
    link.set('open');
  };
  window.setInterval(() => {
    const isSilent = performance.now() - heardAtMs > silenceMs;
    if (dropWatchesCount > 0 && isSilent && link.get() === 'open') link.set('lost');
  }, silenceLookMs);

  function run<T>(
    watch: (signal: AbortSignal) => AsyncIterable<T>,
    listener: (event: T) => void,
    onError: OnError | undefined,
  ): Stop {
    const ending = new AbortController();
    watchesCount += 1;
    if (link.get() === 'idle') link.set('connecting');
    const follow = async () => {
      try {
        for await (const event of watch(ending.signal)) listener(event);
      } catch (error) {
        if (!ending.signal.aborted) onError?.(error);
      } finally {
        watchesCount -= 1;
      }
    };
    void follow();
    return () => ending.abort();
  }

  return {
    api: shop.api,
    clock: shop.clock,
    link,
    placeOf: (ticket, watch) => shop.placeOf(ticket, watch),
    syncClock: dropId => shop.syncClock(dropId),
    watchDrop(dropId, listener, onError) {
      if (dropWatchesCount === 0) heardAtMs = performance.now();
      dropWatchesCount += 1;
      const stop = run(
        signal => shop.watchDrop(dropId, signal),
        watch => {
          hear();
          listener(watch);
        },
        onError,
      );
      return () => {
        dropWatchesCount -= 1;
        stop();
      };
    },
    watchTicket: (ticket, listener, onError) =>
      run(signal => shop.watchTicket(ticket, signal), listener, onError),
    watchOrder: (orderId, listener, onError) =>
      run(signal => shop.watchOrder(orderId, signal), listener, onError),
  };
}
