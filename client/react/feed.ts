// One live subscription for each thing that a page looks at, however many components look at it, as a store for
// React's useSyncExternalStore. Watched from the first listener to shortly after the last: a component that is drawn
// anew, or mounted twice by StrictMode, costs no second subscription. The last known value is kept meanwhile.

export interface FeedValue<T> {
  /** Null until the server has said how it stands. */
  readonly value: T | null;
  /** Why there will be no more news; null while there may be. */
  readonly error: unknown;
}

export interface Feed<T> {
  readonly get: () => FeedValue<T>;
  readonly subscribe: (listener: () => void) => () => void;
}

const lingerMs = 1_000;

export function createFeed<T>(watch: (signal: AbortSignal) => AsyncIterable<T>): Feed<T> {
  let current: FeedValue<T> = { value: null, error: null };
  let ending: AbortController | null = null;
  const listeners = new Set<() => void>();

  const set = (next: FeedValue<T>) => {
    current = next;
    for (const listener of listeners) listener();
  };
  const follow = async ({ signal }: AbortController) => {
    try {
      for await (const value of watch(signal)) {
        if (signal.aborted) return;
        set({ value, error: null });
      }
    } catch (error) {
      if (!signal.aborted) set({ value: current.value, error });
    }
  };
  return {
    get: () => current,
    subscribe(listener) {
      // Each subscriber counts, even where two pass the same function.
      const own = () => listener();
      listeners.add(own);
      if (ending === null) {
        ending = new AbortController();
        void follow(ending);
      }
      return () => {
        listeners.delete(own);
        if (listeners.size > 0) return;
        setTimeout(() => {
          if (listeners.size > 0) return;
          ending?.abort();
          ending = null;
        }, lingerMs);
      };
    },
  };
}

/** Watches nothing, for hooks that are not told what to watch yet. */
export const stillFeed: Feed<never> = {
  get: () => stillValue,
  subscribe: () => () => undefined,
};
const stillValue: FeedValue<never> = { value: null, error: null };

/** Feeds by name: made when first asked for, so that all who ask share one. */
export function createFeeds<T>(watch: (name: string, signal: AbortSignal) => AsyncIterable<T>) {
  const made = new Map<string, Feed<T>>();
  return (name: string | null): Feed<T> => {
    if (name === null) return stillFeed;
    const feed = made.get(name) ?? createFeed(signal => watch(name, signal));
    made.set(name, feed);
    return feed;
  };
}
