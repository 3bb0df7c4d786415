// What an item of a drop costs by the server's clock, where its price falls over time. The schedule comes with the drop, so
// every page takes each step at the same instant, and nothing is sent for it.
import type { ApiOutputs } from './types.ts';

type Item = ApiOutputs['drop']['get']['items'][number];
type Money = Item['price'];

export interface PriceNow {
  readonly price: Money;
  /** The step to come; null where the price stays, or has reached its floor. */
  readonly next: { readonly atMs: number; readonly price: Money } | null;
}

/** `nowMs` is the server's time. What counts is the instant that a hold is placed, by the server. */
export function priceAt(item: Pick<Item, 'price' | 'falling'>, nowMs: number): PriceNow {
  const { falling } = item;
  if (!falling) return { price: item.price, next: null };
  return {
    price: falling.steps.findLast(step => step.atMs <= nowMs)?.price ?? falling.startPrice,
    next: falling.steps.find(step => step.atMs > nowMs) ?? null,
  };
}
