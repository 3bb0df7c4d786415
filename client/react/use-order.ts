import type { OrderWatch } from '../index.ts';
import { useShared } from './provider.ts';
import { useFeed } from './use-feed.ts';

export interface LiveOrder {
  /** What `order.watch` last said; null until it has said something. */
  readonly order: OrderWatch | null;
  readonly error: unknown;
}

/** An order's status, live; null watches nothing. */
export function useOrder(orderId: string | null): LiveOrder {
  const { value, error } = useFeed(useShared().orders(orderId));
  return { order: value, error };
}
