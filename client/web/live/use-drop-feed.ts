import type { LiveDrop } from './drop-feeds.ts';
import { useFeeds } from './feeds-context.ts';
import { useValue } from './use-value.ts';
import { createValueStore } from './value-store.ts';

const still = createValueStore<LiveDrop>({ watch: null, history: [] });

/** One drop's live figures; watching ends with the last part of the page that uses them. Null watches nothing. */
export function useDropFeed(dropId: string | null): LiveDrop {
  const feeds = useFeeds();
  return useValue(dropId === null ? still : feeds.of(dropId));
}
