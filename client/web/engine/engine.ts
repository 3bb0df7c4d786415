// The page's one connection to the engine: the typed client, told where the page came from, with the session kept
// over a reload and the state of the connection as something to show.
import { createDoorbuster, type Doorbuster, type ServerClock } from '../../index.ts';
import type { HooksClient } from '../../react/index.ts';
import { createValueStore, type ValueStore } from '../live/value-store.ts';
import { keptSession, keepSession } from './kept.ts';

/** `idle` where nothing is watched: a page without a drop needs no connection, and cannot lose one. */
export type LinkState = 'idle' | 'connecting' | 'open' | 'lost';

export interface Engine {
  readonly api: Doorbuster['api'];
  readonly clock: ServerClock;
  readonly link: ValueStore<LinkState>;
  /** Who the visitor is to the engine; a session begins where there is none. */
  readonly buyerId: () => Promise<string | null>;
  /** What the React hooks watch and ask by. */
  readonly client: HooksClient;
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
  const shop = createDoorbuster({
    url,
    session: keptSession,
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

  async function* counted<T>(watch: AsyncIterable<T>): AsyncGenerator<T, void, void> {
    watchesCount += 1;
    if (link.get() === 'idle') link.set('connecting');
    try {
      yield* watch;
    } finally {
      watchesCount -= 1;
    }
  }
  async function* heard<T>(watch: AsyncIterable<T>): AsyncGenerator<T, void, void> {
    if (dropWatchesCount === 0) heardAtMs = performance.now();
    dropWatchesCount += 1;
    try {
      for await (const value of counted(watch)) {
        hear();
        yield value;
      }
    } finally {
      dropWatchesCount -= 1;
    }
  }

  const { api, clock } = shop;
  return {
    api,
    clock,
    link,
    buyerId: async () => (await shop.session())?.buyerId ?? null,
    client: {
      api,
      clock,
      placeOf: (ticket, watch) => shop.placeOf(ticket, watch),
      syncClock: (dropId, samplesCount) => shop.syncClock(dropId, samplesCount),
      watchDrop: (dropId, signal) => heard(shop.watchDrop(dropId, signal)),
      watchTicket: (ticket, signal) => counted(shop.watchTicket(ticket, signal)),
      watchOrder: (orderId, signal) => counted(shop.watchOrder(orderId, signal)),
    },
  };
}
