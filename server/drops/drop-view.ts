// What a running drop looks like at one instant: its state, its lanes, its stock.
import type { DropId, Sku } from '../ids.ts';
import type { Availability, DropState, Lane } from './drop.ts';

export interface StockCount {
  readonly sku: Sku;
  readonly total: number;
  readonly available: number;
  readonly held: number;
  readonly sold: number;
  readonly withdrawn: number;
}

export interface LaneCount {
  readonly lane: Lane;
  readonly lobbySize: number;
  readonly arrived: number;
  readonly serving: number;
  /** How far the lane was when, over its last calls: when each began, and the rank that it began with. */
  readonly pace: readonly { readonly atMs: number; readonly serving: number }[];
}

/** What a drop looks like at one instant of Redis' clock. */
export interface DropView {
  readonly dropId: DropId;
  readonly seq: number;
  readonly nowMs: number;
  readonly state: DropState;
  readonly opensAtMs: number;
  readonly closesAtMs: number | null;
  /** When its last unit was sold or withdrawn; null while there may be one. */
  readonly soldOutAtMs: number | null;
  readonly frozen: boolean;
  readonly message: string | null;
  readonly key: string | null;
  readonly ratePerSec: number;
  readonly activeMax: number;
  readonly activeCount: number;
  readonly unclaimedCount: number;
  /** Passes that serve a live hold. */
  readonly withHoldCount: number;
  readonly lanes: readonly LaneCount[];
  readonly stock: readonly StockCount[];
}

/** Why an availability is what it is: held units may come back, sold ones do not. */
export function availabilityOf(stock: StockCount): Availability {
  if (stock.available > 0) return 'available';
  return stock.held > 0 ? 'all-held' : 'sold-out';
}
