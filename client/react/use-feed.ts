import { useSyncExternalStore } from 'react';
import type { Feed, FeedValue } from './feed.ts';

/** The feed's value, now and after each change. On a server, and while hydrating, nothing is known yet. */
export function useFeed<T>(feed: Feed<T>): FeedValue<T> {
  return useSyncExternalStore(feed.subscribe, feed.get, feed.get);
}
