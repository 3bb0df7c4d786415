import { createContext, useContext } from 'react';
import type { DropFeeds } from './drop-feeds.ts';

export const FeedsContext = createContext<DropFeeds | null>(null);

export function useFeeds(): DropFeeds {
  const feeds = useContext(FeedsContext);
  if (!feeds) throw new Error('useFeeds is used outside of FeedsContext');
  return feeds;
}
