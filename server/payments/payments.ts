// Payments as the engine sees them, whoever takes the money. Amounts are in the currency's own minor units.
import type { IntentStatus } from '../orders/order.rules.ts';

export interface Payment {
  readonly id: string;
  readonly status: IntentStatus;
  /** In minor units. */
  readonly amount: number;
  /** Upper case. */
  readonly currency: string;
  /** What was captured so far. */
  readonly receivedAmount: number;
  readonly clientSecret: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** True for a cancelled payment that had been authorised: somebody's money was held and let go. */
  readonly wasAuthorized: boolean;
}

export interface PaymentParams {
  readonly amount: number;
  readonly currency: string;
  readonly metadata: Readonly<Record<string, string>>;
  /** `manual`: only methods that are authorised first. `where-possible`: others, too, which take the money by themselves. */
  readonly capture: 'manual' | 'where-possible';
}

/**
 * `refused` is certain: asked again, the answer would be the same, and nothing has changed.
 * Whatever is not certain (no answer, too many requests, a fault of theirs) throws PaymentsUnavailable instead.
 */
export type PaymentAnswer = { kind: 'payment'; payment: Payment } | { kind: 'refused'; code: string };

export class PaymentsUnavailable extends Error {
  constructor(what: string, cause: unknown) {
    super(`payments: ${what}: it is not known whether it took effect`, { cause });
    this.name = 'PaymentsUnavailable';
  }
}

/** The request was not made, or not taken up: there are too many at the moment. Nothing has changed, and no try is spent. */
export class PaymentsBusy extends PaymentsUnavailable {
  readonly retryAfterMs: number;

  constructor(what: string, cause: unknown, retryAfterMs: number) {
    super(what, cause);
    this.name = 'PaymentsBusy';
    this.retryAfterMs = retryAfterMs;
  }
}

export interface RefundRequest {
  /** The payment's. */
  readonly id: string;
  readonly idempotencyKey: string;
  /** In minor units, with its upper-case currency. */
  readonly amount?: { readonly amount: number; readonly currency: string };
  readonly metadata?: Readonly<Record<string, string>>;
}

export type RefundAnswer =
  | { kind: 'refunded'; refund: PaymentRefund | null }
  | { kind: 'refused'; code: string };

export interface PaymentRefund {
  readonly id: string;
  readonly paymentId: string | null;
  /** In minor units. */
  readonly amount: number;
  /** False where it failed or was cancelled: the money is not with the buyer and will not be. */
  readonly holds: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** A payment that was taken back at the bank, or is asked about. */
export interface PaymentDispute {
  readonly id: string;
  readonly paymentId: string | null;
  readonly status: string;
  readonly reason: string;
  /** In minor units. */
  readonly amount: number;
}

export interface Payments {
  /** Again under the same key: the same payment. */
  create(request: { idempotencyKey: string; params: PaymentParams }): Promise<PaymentAnswer>;
  retrieve(id: string): Promise<PaymentAnswer>;
  /** Stripe's fingerprint of the card that a payment was authorised with; null where it was none. Never stored as it is. */
  cardFingerprint(id: string): Promise<string | null>;
  cancel(id: string): Promise<PaymentAnswer>;
  /** Takes all of the money and writes the metadata with it. A payment is captured at most once, whatever the key. */
  capture(request: {
    id: string;
    idempotencyKey: string;
    metadata: Readonly<Record<string, string>>;
  }): Promise<PaymentAnswer>;
  annotate(id: string, metadata: Readonly<Record<string, string>>): Promise<PaymentAnswer>;
  /**
   * Gives money back: all that is left, or `amount`. Again under the same key: the same refund. All of it asked for
   * where nothing is left counts as done, with no refund of its own.
   */
  refund(request: RefundRequest): Promise<RefundAnswer>;
  /** Every refund of a payment, whoever made it. */
  refunds(id: string): Promise<PaymentRefund[]>;
}
