// The states of an order and what moves it from one to the next. Nothing else decides a status: the store refuses a
// move that does not stand here. A status never goes back: `stageOf` grows along every arrow.
//
//   pending ──→ authorized ──→ paid ──→ fulfilled ──→ refunded
//      │             ↑  │        └──────────────────────↑
//      └──→ closing ─┘  └──→ cancelling ──→ cancelled
//              └──→ cancelled | expired

export const orderStatuses = [
  'pending',
  'closing',
  'authorized',
  'cancelling',
  'paid',
  'fulfilled',
  'refunded',
  'cancelled',
  'expired',
] as const;
export type OrderStatus = (typeof orderStatuses)[number];

/** Why an order is being closed or was cancelled. */
export const orderReasons = [
  /** The payment window ran out. */
  'window-ended',
  /** The hold had run out before it could be paid. */
  'hold-expired',
  'cancelled-by-shop',
  /** Card testing: more declined attempts than an honest buyer makes. */
  'too-many-declines',
  /** The payment was cancelled at the provider, not by us. */
  'payment-cancelled',
  /** The provider will not take this payment at all. */
  'payment-refused',
  /** Authorised, but no unit is free. */
  'sold-out',
  /** Authorised, but its card has as many units of the drop as one card may have. */
  'card-limit',
  'capture-failed',
] as const;
export type OrderReason = (typeof orderReasons)[number];

export const transitions = {
  pending: ['authorized', 'closing'],
  closing: ['authorized', 'cancelled', 'expired'],
  authorized: ['paid', 'cancelling'],
  cancelling: ['cancelled'],
  paid: ['fulfilled', 'refunded'],
  fulfilled: ['refunded'],
  refunded: [],
  cancelled: [],
  expired: [],
} as const satisfies Record<OrderStatus, readonly OrderStatus[]>;

export function mayMove(from: OrderStatus, to: OrderStatus): boolean {
  const targets: readonly OrderStatus[] = transitions[from];
  return targets.includes(to);
}

/** Grows along every arrow of the table, so that a larger stage is never followed by a smaller one. */
export const stageOf = {
  pending: 0,
  closing: 1,
  authorized: 2,
  cancelling: 3,
  paid: 4,
  fulfilled: 5,
  refunded: 6,
  cancelled: 6,
  expired: 6,
} as const satisfies Record<OrderStatus, number>;

/** Ended without money: its hold and its units are released on reaching this, and only then. */
export function endedUnpaid(status: OrderStatus): boolean {
  return status === 'cancelled' || status === 'expired';
}

/** Money was captured and units are its own. */
export function wasPaid(status: OrderStatus): boolean {
  return status === 'paid' || status === 'fulfilled' || status === 'refunded';
}

/** What time alone ended is `expired`; what somebody decided is `cancelled`. */
export function endOfClosing(reason: OrderReason | null): 'cancelled' | 'expired' {
  return reason === 'window-ended' || reason === 'hold-expired' ? 'expired' : 'cancelled';
}

/** A dispute that has ended: later news of it is older. */
export function hasDisputeEnded(status: string): boolean {
  return status === 'won' || status === 'lost' || status === 'warning_closed';
}

/** A PaymentIntent's states at Stripe. */
export const intentStatuses = [
  'requires_payment_method',
  'requires_confirmation',
  'requires_action',
  'processing',
  'requires_capture',
  'canceled',
  'succeeded',
] as const;
export type IntentStatus = (typeof intentStatuses)[number];

export function isMoneyCertain(intent: IntentStatus): boolean {
  return intent === 'requires_capture' || intent === 'succeeded';
}

/**
 * Where news of the payment takes an order, or null where it changes nothing: news may come late, twice, and out of
 * order. News can only authorise or close; whatever follows looks at the payment itself first.
 */
export function afterNews(status: OrderStatus, intent: IntentStatus): 'authorized' | 'closing' | null {
  if (isMoneyCertain(intent)) return status === 'pending' || status === 'closing' ? 'authorized' : null;
  if (intent === 'canceled') return status === 'pending' ? 'closing' : null;
  return null;
}

/** How long to wait before a failed step is tried again: doubling from the first pause up to the cap. */
export function retryPauseMs(attempts: number, pause: { first: number; max: number }): number {
  return Math.min(pause.max, pause.first * 2 ** Math.min(attempts, 20));
}
