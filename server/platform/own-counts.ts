// Rates that a process counts by itself: a window for all keys together, so that counting is one look into a map, and
// forgetting is letting go of it. Across two windows a key may have twice its points, as with a window of its own.

export interface OwnCounts {
  /** Counts one act of a key. 0 where it may be done, else how long until it may, in ms. */
  count(key: string): number;
}

export function createOwnCounts(options: {
  points: number;
  windowMs: number;
  now?: () => number;
}): OwnCounts {
  const { points, windowMs, now = () => performance.now() } = options;
  let counts = new Map<string, number>();
  let endsAtMs = Number.NEGATIVE_INFINITY;
  return {
    count(key) {
      const atMs = now();
      if (atMs >= endsAtMs) {
        counts = new Map();
        endsAtMs = atMs + windowMs;
      }
      const count = (counts.get(key) ?? 0) + 1;
      counts.set(key, count);
      return count > points ? endsAtMs - atMs : 0;
    },
  };
}
