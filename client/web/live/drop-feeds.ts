// Each drop that the page shows, live: one subscription for each, however many parts of the page look at it.
// The last known figures are kept while the connection is away.
import type { Engine } from '../engine/engine.ts';
import type { DropWatch } from '../engine/types.ts';
import { type HistoryPoint, withPoint } from './history.ts';
import { createValueStore, type ValueStore } from './value-store.ts';

export interface LiveDrop {
  readonly watch: DropWatch | null;
  readonly history: readonly HistoryPoint[];
}

export interface DropFeeds {
  /** The live figures; watched from the first listener to the last. */
  readonly of: (dropId: string) => ValueStore<LiveDrop>;
}

/** A part of the page that is drawn anew must not cost a new subscription. */
const lingerMs = 2_000;

export function createDropFeeds(engine: Pick<Engine, 'watchDrop' | 'clock'>): DropFeeds {
  const feeds = new Map<string, ValueStore<LiveDrop>>();

  function create(dropId: string): ValueStore<LiveDrop> {
    const store = createValueStore<LiveDrop>({ watch: null, history: [] });
    let listenersCount = 0;
    let stop: (() => void) | null = null;
    const begin = () => {
      stop ??= engine.watchDrop(dropId, watch => {
        const { history } = store.get();
        store.set({ watch, history: withPoint(history, pointOf(watch)) });
      });
    };
    return {
      get: store.get,
      subscribe(listener) {
        listenersCount += 1;
        begin();
        const unsubscribe = store.subscribe(listener);
        return () => {
          unsubscribe();
          listenersCount -= 1;
          if (listenersCount > 0) return;
          window.setTimeout(() => {
            if (listenersCount > 0) return;
            stop?.();
            stop = null;
          }, lingerMs);
        };
      },
    };
  }

  return {
    of(dropId) {
      const known = feeds.get(dropId);
      if (known) return known;
      const feed = create(dropId);
      feeds.set(dropId, feed);
      return feed;
    },
  };
}

function pointOf(watch: DropWatch): HistoryPoint {
  return {
    atMs: watch.serverTimeMs,
    arrived: watch.lanes.reduce((sum, lane) => sum + lane.arrived, 0),
    called: watch.lanes.reduce((sum, lane) => sum + lane.serving, 0),
    left: watch.items.reduce((sum, item) => sum + item.available, 0),
  };
}
