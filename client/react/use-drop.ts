import type { DropWatch } from '../index.ts';
import { useShared } from './provider.ts';
import { useFeed } from './use-feed.ts';

export interface LiveDrop {
  /** What `drop.watch` last said; null until it has said something. */
  readonly drop: DropWatch | null;
  readonly error: unknown;
}

/** A drop, live. Components that ask for the same one share its subscription; null watches nothing. */
export function useDrop(dropId: string | null): LiveDrop {
  const { value, error } = useFeed(useShared().drops(dropId));
  return { drop: value, error };
}
