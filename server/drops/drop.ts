// A drop, as its document keeps it: what the shop decided. What happens while it runs is in Redis.
import type { BuyerId, DropId, Sku } from '../ids.ts';
import type { Money } from '../money.ts';
import type { ExchangeRate } from '../pricing/conversion.rules.ts';
import type { PriceStep } from '../pricing/falling-price.rules.ts';
import type { TaxClass } from '../pricing/tax-rates.rules.ts';
import type { PriceTier } from '../pricing/unit-price.rules.ts';

export type DropMode = 'fifo' | 'shuffle' | 'draw';
export type DropState = 'scheduled' | 'lobby' | 'open' | 'paused' | 'sold-out' | 'closed';
export type Availability = 'available' | 'all-held' | 'sold-out';

/** The lanes of a queue. A lane's number is its place here; it is a part of every ticket, so the order is fixed. */
export const lanes = ['general', 'priority', 'late'] as const;
export type Lane = (typeof lanes)[number];

export interface DropItem {
  readonly sku: Sku;
  readonly title: string;
  readonly price: Money;
  /** From so many pieces on, in the currency of the price; the catalog's of when the drop was made, unless it named its own. */
  readonly tiers?: readonly PriceTier[] | undefined;
  /** The catalog's of when the drop was made; `standard` where it is not said. */
  readonly taxClass?: TaxClass | undefined;
  /** The rate that price and tiers were converted by; absent where the shop has said them. */
  readonly rate?: ExchangeRate | undefined;
  /** How the price falls from `price` on, in its currency; absent where it stays (change-schedule.rules.ts). */
  readonly steps?: readonly PriceStep[] | undefined;
  /** All units that were ever added: serials run from 1 to `total`. */
  readonly total: number;
  /** How many of them the shop took back. */
  readonly withdrawn: number;
}

export interface Drop {
  readonly dropId: DropId;
  readonly title: string;
  readonly mode: DropMode;
  readonly lobbyOpensAtMs: number;
  readonly opensAtMs: number;
  readonly closesAtMs: number | null;
  /** When an operator opened it by hand; absent where nobody did. */
  readonly openedAtMs?: number | undefined;
  readonly items: readonly DropItem[];
  readonly perBuyerMax: number;
  readonly ratePerSec: number;
  readonly activeMax: number;
  readonly callWindowMs: number;
  readonly passTtlMs: number;
  readonly holdTtlMs: number;
  readonly paymentWindowMs: number;
  /** How many orders may enter payment each second, as far as the calling decides that; null without a bound. */
  readonly paymentsPerSec: number | null;
  /** The most units for one card, counted before the capture; null without a limit. */
  readonly perCardMax: number | null;
  /** Whether payment methods that take the money later may be offered. */
  readonly delayedMethods: boolean;
  /** Whether `queue.join` asks for a proof of work: never, always, or once many came from one address. */
  readonly botGate: 'off' | 'on' | 'auto';
  /** The codes of the priority lane, as keyed hashes. */
  readonly codes: readonly { readonly hash: string; readonly maxUses: number }[];
  /** 32 secret bytes; the key of the shuffle is made of them. Published only as a hash before the drop. */
  readonly seed: string;
  readonly seedHash: string;
  /** The name of a public random value that the key waits for, as `drand:CHAIN:ROUND`; null without one. */
  readonly beacon: string | null;
  readonly createdAtMs: number;
  /** When an operator last changed how its prices fall. */
  readonly pricesChangedAtMs?: number | undefined;
  /** Counts the edits. `loadedRev` is the edit that Redis and the ledger have: below `rev`, loading is due. */
  readonly rev: number;
  readonly loadedRev: number;
  /** True once nothing can happen any more; no process looks after it. */
  readonly ended: boolean;
  /** Since when; absent while it has not, and of drops of earlier versions. */
  readonly endedAtMs?: number | undefined;
}

/** A sealed ticket's content: a buyer's one place in a drop's queue. */
export interface Ticket {
  readonly dropId: DropId;
  readonly lane: Lane;
  readonly arrival: number;
  readonly buyerId: BuyerId;
}

export const dropStates = ['scheduled', 'lobby', 'open', 'paused', 'sold-out', 'closed'] as const;
