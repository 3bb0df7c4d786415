// How an operator may change the way a price falls. Pure.
//
// Until the drop is about to open, all of it: what it starts at, its steps, and when they come, which is always counted
// from the opening and moves with it. After that it may only be held where it is: who waits for a lower price that was
// announced may be told that it does not come, and nobody that it comes sooner, or that it rises.
import { limits } from '../limits.ts';
import type { PriceStep } from '../pricing/falling-price.rules.ts';
import type { DropItem } from './drop.ts';

/** As far as it is about the schedule. */
export interface ScheduleEdit {
  readonly sku: string;
  /** Null: held where it is. */
  readonly falling?: object | null | undefined;
  readonly price?: object | undefined;
}

/** The opening has moved by so much, and the steps with it. */
export function movedBy(steps: readonly PriceStep[] | undefined, byMs: number): PriceStep[] | undefined {
  return steps?.map(({ atMs, amount }) => ({ atMs: atMs + byMs, amount }));
}

/**
 * The steps that remain where the price is held from now on: those that came, and those that come so soon that pages which
 * are open count down to them. Empty where none did.
 */
export function heldFrom(steps: readonly PriceStep[], nowMs: number): PriceStep[] {
  return steps.filter(({ atMs }) => atMs < nowMs + limits.priceHoldLeadMs);
}

/** What is wrong with an edit; null where it may be made to the item. */
export function editProblem(item: Pick<DropItem, 'steps'>, { falling, price }: ScheduleEdit): string | null {
  if (price !== undefined && (falling === undefined || falling === null))
    return 'a price is changed together with how it falls from there, and not alone';
  if (falling && item.steps === undefined)
    return 'its price stays, as it was announced: only one that falls may fall otherwise';
  return null;
}
