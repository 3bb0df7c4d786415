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

/**
 * With `apartMs`, listeners hear of the first news at once and then at most so often: what comes in between is told by
 * the newest. A burst, as after a phone wakes up, then costs a page one drawing, not one for each message.
 */
export function createFeed<T>(
  watch: (signal: AbortSignal) => AsyncIterable<T>,
  { apartMs = 0 }: { apartMs?: number } = {},
): Feed<T> {
  let current: FeedValue<T> = { value: null, error: null };
  let ending: AbortController | null = null;
  let resting: ReturnType<typeof setTimeout> | null = null;
  let isOwed = false;
  const listeners = new Set<() => void>();

  const tell = () => {
    isOwed = false;
    for (const listener of listeners) listener();
    if (apartMs === 0) return;
    resting = setTimeout(() => {
      resting = null;
      if (isOwed) tell();
    }, apartMs);
  };
  const set = (next: FeedValue<T>) => {
    current = next;
    if (resting === null) tell();
    else isOwed = true;
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
export function createFeeds<T>(
  watch: (name: string, signal: AbortSignal) => AsyncIterable<T>,
  options: { apartMs?: number } = {},
) {
  const made = new Map<string, Feed<T>>();
  return (name: string | null): Feed<T> => {
    if (name === null) return stillFeed;
    const feed = made.get(name) ?? createFeed(signal => watch(name, signal), options);
    made.set(name, feed);
    return feed;
  };
}
