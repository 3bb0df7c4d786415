import { useFeeds } from './feeds-context.ts';
import type { LiveDrop } from './drop-feeds.ts';
import { useValue } from './use-value.ts';

/** One drop's live figures; watching ends with the last part of the page that uses them. */
export function useDropFeed(dropId: string): LiveDrop {
  return useValue(useFeeds().of(dropId));
}
