// What became of the hold that a coupon's use was taken for. The order's word counts before the hold's: it is in MongoDB.
import { orderIdOf, type HoldId, type OrderId } from '../ids.ts';
import { endedUnpaid, wasPaid, type OrderStatus } from '../orders/order.rules.ts';
import type { UseFate } from './coupons.ts';

/** A hold past its deadline is as good as released, once no two clocks can differ about it. */
const clocksDifferMs = 1_000;

export interface FateSources {
  readonly findHold: (
    holdId: HoldId,
  ) => Promise<{ readonly state: string; readonly expiresAtMs: number; readonly frozen: string } | null>;
  readonly findOrder: (orderId: OrderId) => Promise<{
    readonly status: OrderStatus;
    readonly quote: { readonly coupon?: string | undefined };
  } | null>;
  readonly couponIn: (frozen: string) => string | undefined;
}

export function createFateOf(
  deps: FateSources & { clock: { now(): number } },
): (use: { code: string; holdId: HoldId }) => Promise<UseFate> {
  const { findHold, findOrder, couponIn, clock } = deps;
  return async ({ code, holdId }) => {
    // The hold first: an order that is placed between the two looks is found by the second.
    const hold = await findHold(holdId);
    const order = await findOrder(orderIdOf(holdId));
    if (order) {
      // A newer quote may have replaced the one that the hold was placed with.
      if (order.quote.coupon !== code || endedUnpaid(order.status)) return 'unpaid';
      return wasPaid(order.status) ? 'paid' : 'alive';
    }
    if (!hold || hold.state === 'released' || couponIn(hold.frozen) !== code) return 'unpaid';
    const hasRunOut = hold.state === 'held' && clock.now() > hold.expiresAtMs + clocksDifferMs;
    return hasRunOut ? 'unpaid' : 'alive';
  };
}
