import { useSyncExternalStore } from 'react';
import type { ValueStore } from './value-store.ts';

/** The store's value, now and after each change. */
export function useValue<T>(store: ValueStore<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}
