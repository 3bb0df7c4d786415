/** How many of something each key has open; a key that has none is forgotten. */
export interface CountsByKey {
  of(key: string): number;
  /** Counts one more and answers with how many there are now. */
  add(key: string): number;
  remove(key: string): void;
}

export function createCountsByKey(): CountsByKey {
  const counts = new Map<string, number>();
  return {
    of: key => counts.get(key) ?? 0,
    add(key) {
      const next = (counts.get(key) ?? 0) + 1;
      counts.set(key, next);
      return next;
    },
    remove(key) {
      const next = (counts.get(key) ?? 1) - 1;
      if (next > 0) counts.set(key, next);
      else counts.delete(key);
    },
  };
}
