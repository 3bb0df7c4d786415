// What the audit reads, as it reads it. Everything that may be long comes one by one, so that nothing has to be in memory
// as a whole.
import type { FallingPrices } from './check-prices.ts';

export interface UnitName {
  readonly sku: string;
  readonly serial: number;
}

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
}

/** As an order was charged for it. */
export interface ChargedLine extends OrderLine {
  readonly unitAmount: number;
  /** Before tier and group; absent where that is the same. */
  readonly listAmount?: number | undefined;
}

export interface AuditDrop {
  readonly dropId: string;
  readonly mode: string;
  readonly seed: string;
  readonly seedHash: string;
  readonly beacon: string | null;
  readonly ended: boolean;
  /** The highest limit for each buyer that the drop ever had. */
  readonly perBuyerMax: number;
  readonly totals: ReadonlyMap<string, number>;
  /** What Redis says of it; null where Redis does not know it. */
  readonly view: AuditView | null;
}

export interface AuditView {
  /** By the drop's own clock. */
  readonly nowMs: number;
  readonly soldOutAtMs: number | null;
  readonly key: string | null;
  readonly lanes: readonly { readonly lane: string; readonly arrived: number; readonly serving: number }[];
  readonly stock: readonly {
    readonly sku: string;
    readonly total: number;
    readonly available: number;
    readonly held: number;
    readonly sold: number;
    readonly withdrawn: number;
  }[];
}

export interface AuditOrder {
  readonly orderId: string;
  readonly holdId: string;
  readonly dropId: string;
  readonly buyerId: string;
  readonly status: string;
  readonly reason: string | null;
  readonly rev: number;
  /** In minor units, as all amounts here. */
  readonly totalAmount: number;
  readonly currency: string;
  readonly lines: readonly ChargedLine[];
  /** The instant that its prices are of, where they fall. */
  readonly pricedAtMs?: number | undefined;
  readonly createdAtMs: number;
  readonly serials: readonly UnitName[];
  readonly refundedAmount: number;
  readonly refunds: readonly AuditRefund[];
  readonly intent: {
    readonly id: string | null;
    /** What the call that makes the payment was recorded with. */
    readonly params: { readonly amount: number; readonly currency: string };
  } | null;
  /** The code of its coupon, as it is counted; null without one. */
  readonly coupon: string | null;
  readonly perCardMax: number | null;
  /** The keyed hash of its card; null where no limit asks for it. */
  readonly card: string | null;
  readonly payDeadlineMs: number | null;
  readonly settledAtMs: number | null;
  /** Set once an unpaid end has given everything back. */
  readonly releasedAtMs: number | null;
  readonly dueAtMs: number | null;
  readonly history: readonly { readonly status: string }[];
}

export interface AuditRefund {
  readonly refundId: string;
  readonly amount: number;
  readonly status: string;
  readonly restock: readonly UnitName[];
  readonly restockedAtMs: number | null;
  readonly paymentRefundId: string | null;
}

export interface AuditUnit extends UnitName {
  readonly unitId: string;
  readonly dropId: string;
  readonly orderId: string;
  readonly slot: string;
}

export interface AuditPayment {
  readonly paymentId: string;
  readonly orderId: string;
  readonly status: string;
  readonly amount: number;
  readonly currency: string;
  readonly capturedAmount: number;
  readonly refundedAmount: number;
  /** To the second; null where its money was never certain. */
  readonly authorizedAtMs: number | null;
}

export interface AuditHold {
  readonly holdId: string;
  readonly dropId: string;
  readonly buyerId: string;
  readonly state: string;
  readonly lines: readonly OrderLine[];
  readonly expiresAtMs: number;
}

export interface AuditCall {
  readonly seq: number;
  readonly atMs: number;
  readonly lane: string;
  readonly from: number;
  readonly to: number;
  readonly hash: string;
}

export interface AuditCard {
  /** `drop/card` */
  readonly cardId: string;
  readonly used: number;
  readonly takers: readonly { readonly order: string; readonly units: number }[];
}

export interface AuditCoupon {
  readonly code: string;
  /** Null without such a limit. */
  readonly usesMax: number | null;
  readonly perBuyerMax: number | null;
}

export interface AuditLobby {
  readonly root: string;
  readonly frozenAtMs: number;
  readonly beaconValue: string | null;
  readonly lanes: readonly { readonly lane: string; readonly size: number; readonly root: string }[];
}

export interface AuditSources {
  /** Of drops whose prices fall, by drop. */
  fallingPrices(): Promise<ReadonlyMap<string, FallingPrices>>;
  nowMs(): number;
  /** Roughly how many documents a look reads. */
  countDocuments(): Promise<number>;
  drops(): AsyncIterable<AuditDrop>;
  /** By id, ascending. */
  orders(): AsyncIterable<AuditOrder>;
  /** Units that some order owns, by order and slot, ascending. */
  ownedUnits(): AsyncIterable<AuditUnit>;
  /** All units of a SKU, in any order. */
  unitsOf(dropId: string, sku: string): AsyncIterable<{ readonly unitId: string; readonly serial: number }>;
  /** Every payment that names an order of ours, in any order. */
  payments(): AsyncIterable<AuditPayment>;
  /** Every hold that Redis has, in any order; one may come twice. */
  holds(): AsyncIterable<AuditHold>;
  /** What Redis counts against the limits of these buyers. */
  bought(dropId: string, buyerIds: readonly string[]): Promise<readonly number[]>;
  cards(): AsyncIterable<AuditCard>;
  coupons(): AsyncIterable<AuditCoupon>;
  /** How many uses Redis counts; null where it may have lost some, and counts none until they are back. */
  couponUsesCount(code: string): Promise<number | null>;
  /** By hold, whether Redis counts a use for it. */
  areCouponUses(code: string, holdIds: readonly string[]): Promise<readonly boolean[]>;
  /** The call log of a drop, by its sequence. */
  calls(dropId: string): AsyncIterable<AuditCall>;
  /** Null where none was committed. */
  lobby(dropId: string): Promise<AuditLobby | null>;
  leaves(
    dropId: string,
    lanes: AuditLobby['lanes'],
  ): AsyncIterable<{ readonly lane: string; readonly from: number; readonly leaves: Uint8Array }>;
  /** Stripe's events that were due before then and are not worked off. */
  lateEvents(beforeMs: number): AsyncIterable<{ readonly eventId: string; readonly dueAtMs: number }>;
}
