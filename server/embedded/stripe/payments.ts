/**
 * What happens to money: attempts to pay, 3-D Secure, captures, cancellations, delayed methods, refunds and disputes.
 *
 * Every method runs inside one job of the database. It checks everything before it writes, so that a refusal leaves no
 * trace; a decline is no refusal but an outcome (a failed charge, events, status 402), and is kept.
 */

import { ApiError, type ErrorBody, invalidRequest, withDocUrl } from './api-error.ts';
import type { Cause, EventLog } from './event-log.ts';
import type { Clock } from './clock.ts';
import type { Database } from './database.ts';
import { newId } from './ids.ts';
import { moveIntent, requireCancelable, requireCapturable } from './intent-status.ts';
import type { ObjectStore } from './object-store.ts';
import { AUTHORIZATION_TTL_SEC, newCharge } from './objects/charge.ts';
import { newDispute } from './objects/dispute.ts';
import { newRefund, type RefundDetails } from './objects/refund.ts';
import type { Charge, PaymentIntent, Refund } from './objects/types.ts';
import type { Instrument, PaymentMethods } from './payment-methods.ts';
import type { Decline } from './test-methods.ts';
import { Timers } from './timers.ts';

/** Refunds shown inside a charge, as at Stripe. */
const EMBEDDED_REFUNDS_MAX = 10;

export type Paid = { kind: 'accepted'; intent: PaymentIntent } | { kind: 'declined'; error: ErrorBody };

export interface AttemptOptions {
  offSession: boolean;
  returnUrl: string | undefined;
  useStripeSdk: boolean;
  /** Where this server is reached by whoever is asking: the 3-D Secure page lives there. */
  baseUrl: string;
}

const AUTHENTICATION_REQUIRED: Decline = {
  code: 'card_declined',
  declineCode: 'authentication_required',
  message: 'Your card was declined. This transaction requires authentication.',
};

export class Payments {
  readonly #clock: Clock;
  readonly #store: ObjectStore;
  readonly #events: EventLog;
  readonly #methods: PaymentMethods;
  readonly #timers: Timers;
  readonly #saveLedger;
  readonly #addRefund;

  constructor(parts: {
    db: Database;
    clock: Clock;
    store: ObjectStore;
    events: EventLog;
    methods: PaymentMethods;
  }) {
    this.#clock = parts.clock;
    this.#store = parts.store;
    this.#events = parts.events;
    this.#methods = parts.methods;
    this.#timers = new Timers(parts.db, parts.clock);
    this.#saveLedger = parts.db.prepare(
      `INSERT INTO ledger (payment_intent, status, currency, amount, capturable, captured, refunded, metadata)
       VALUES (?, ?, ?, ?, ?, ?, 0, ?)
       ON CONFLICT (payment_intent) DO UPDATE SET status = excluded.status, currency = excluded.currency,
         amount = excluded.amount, capturable = excluded.capturable, captured = excluded.captured,
         metadata = excluded.metadata`,
    );
    this.#addRefund = parts.db.prepare('UPDATE ledger SET refunded = refunded + ? WHERE payment_intent = ?');
  }

  create(intent: PaymentIntent, cause: Cause): void {
    this.#store.insert(intent);
    this.#writeLedger(intent);
    this.#events.emit('payment_intent.created', intent, cause);
  }

  save(intent: PaymentIntent): void {
    this.#store.save(intent);
    this.#writeLedger(intent);
  }

  confirm(intent: PaymentIntent, instrument: Instrument, options: AttemptOptions, cause: Cause): Paid {
    requireAllowedType(intent, instrument);
    intent.payment_method = instrument.method.id;
    intent.last_payment_error = null;
    intent.next_action = null;
    const mustAuthenticate = instrument.kind === 'card' && instrument.card.authentication === 'required';
    if (!mustAuthenticate) return this.#charge(intent, instrument, { authenticated: false, cause });
    if (options.offSession) return this.#decline(intent, instrument, AUTHENTICATION_REQUIRED, cause);
    moveIntent(intent, 'requires_action');
    intent.next_action = nextActionOf(intent, options);
    this.save(intent);
    this.#events.emit('payment_intent.requires_action', intent, cause);
    return { kind: 'accepted', intent };
  }

  /** Ends a 3-D Secure challenge; the token is the one of the address that the buyer was sent to. */
  authenticate(intent: PaymentIntent, outcome: 'succeed' | 'fail', cause: Cause): Paid {
    if (intent.status !== 'requires_action' || intent.payment_method === null) {
      throw invalidRequest({
        message: `This PaymentIntent has no authentication under way (${intent.status}).`,
      });
    }
    const instrument = this.#methods.ofId(intent.payment_method);
    intent.next_action = null;
    if (outcome === 'succeed') return this.#charge(intent, instrument, { authenticated: true, cause });
    const error = withDocUrl({
      type: 'invalid_request_error',
      code: 'payment_intent_authentication_failure',
      message:
        'The provided PaymentMethod has failed authentication. You can provide payment_method_data or a new PaymentMethod to attempt to fulfill this PaymentIntent again.',
      payment_method: instrument.method,
    });
    return this.#fail(intent, error, cause);
  }

  capture(intent: PaymentIntent, amount: number | undefined, cause: Cause): void {
    requireCapturable(intent);
    const captured = amount ?? intent.amount_capturable;
    if (captured < 1 || captured > intent.amount_capturable) {
      throw new ApiError(
        400,
        {
          type: 'invalid_request_error',
          ...(captured < 1 ? {} : { code: 'amount_too_large' }),
          param: 'amount_to_capture',
          message: `The provided amount_to_capture (${captured}) must be at least 1 and no greater than the capturable amount (${intent.amount_capturable}).`,
        },
        { executed: true },
      );
    }
    const charge = this.#latestCharge(intent);
    const remainder = intent.amount_capturable - captured;
    charge.captured = true;
    charge.amount_captured = captured;
    if (remainder > 0) this.#release(charge, remainder);
    moveIntent(intent, 'succeeded');
    intent.amount_capturable = 0;
    intent.amount_received = captured;
    this.#timers.clear(intent.id);
    this.#store.save(charge);
    this.save(intent);
    this.#events.emit('charge.captured', charge, cause);
    this.#events.emit('payment_intent.succeeded', intent, cause);
    this.#disputeIfTested(intent, charge, cause);
  }

  cancel(intent: PaymentIntent, reason: string | null, cause: Cause): void {
    requireCancelable(intent);
    const charge = intent.status === 'requires_capture' ? this.#latestCharge(intent) : undefined;
    moveIntent(intent, 'canceled');
    intent.canceled_at = this.#clock.nowSec();
    intent.cancellation_reason = reason;
    intent.next_action = null;
    this.#timers.clear(intent.id);
    if (charge !== undefined) {
      this.#release(charge, intent.amount_capturable);
      charge.refunded = true;
      intent.amount_capturable = 0;
      this.#store.save(charge);
      this.#events.emit(reason === 'automatic' ? 'charge.expired' : 'charge.refunded', charge, cause);
    }
    this.save(intent);
    this.#events.emit('payment_intent.canceled', intent, cause);
  }

  refund(charge: Charge, details: RefundDetails & { amount: number | undefined }, cause: Cause): Refund {
    if (charge.status !== 'succeeded' || !charge.captured) {
      throw refusedRefund(`Charge ${charge.id} cannot be refunded because it was never captured.`);
    }
    if (charge.disputed) throw refusedRefund(`Charge ${charge.id} has been charged back.`, 'charge_disputed');
    const left = charge.amount - charge.amount_refunded;
    if (left === 0)
      throw refusedRefund(`Charge ${charge.id} has already been refunded.`, 'charge_already_refunded');
    const amount = details.amount ?? left;
    if (amount < 1 || amount > left) {
      throw refusedRefund(
        `Refund amount (${amount} ${charge.currency}) is greater than unrefunded amount on charge (${left} ${charge.currency})`,
        undefined,
        'amount',
      );
    }
    const refund = newRefund({ charge, amount, details, createdSec: this.#clock.nowSec(), release: false });
    this.#store.insert(refund);
    charge.amount_refunded += amount;
    charge.refunded = charge.amount_refunded === charge.amount;
    embed(charge, refund);
    this.#store.save(charge);
    this.#addRefund.run(amount, charge.payment_intent);
    this.#events.emit('charge.refunded', charge, cause);
    this.#events.emit('refund.created', refund, cause);
    return refund;
  }

  /** Does what has come due: bank debits end, authorisations expire. Says whether more is due than one batch. */
  runDue(cause: Cause): boolean {
    const due = this.#timers.takeDue();
    for (const { paymentIntent, action } of due.timers) {
      const intent = this.#store.get('payment_intent', paymentIntent);
      if (action === 'settle') this.settle(intent, undefined, cause);
      else this.cancel(intent, 'automatic', cause);
    }
    return due.more;
  }

  nextDueMs(): number | undefined {
    return this.#timers.nextDueMs();
  }

  /** Ends a delayed method, as its test account would or as asked for. */
  settle(intent: PaymentIntent, outcome: 'succeed' | 'fail' | undefined, cause: Cause): void {
    if (intent.status !== 'processing' || intent.payment_method === null) {
      throw invalidRequest({ message: `This PaymentIntent is not processing (${intent.status}).` });
    }
    const instrument = this.#methods.ofId(intent.payment_method);
    const charge = this.#latestCharge(intent);
    const documented = instrument.kind === 'bank' ? instrument.bank.failure : undefined;
    const failure =
      outcome === 'fail'
        ? (documented ?? {
            code: 'insufficient_funds',
            message: "The customer's account has insufficient funds.",
          })
        : outcome === 'succeed'
          ? undefined
          : documented;
    this.#timers.clear(intent.id);
    if (failure === undefined) {
      charge.status = 'succeeded';
      charge.paid = true;
      charge.captured = true;
      charge.amount_captured = charge.amount;
      moveIntent(intent, 'succeeded');
      intent.amount_received = intent.amount;
      this.#store.save(charge);
      this.save(intent);
      this.#events.emit('charge.succeeded', charge, cause);
      this.#events.emit('payment_intent.succeeded', intent, cause);
      return;
    }
    charge.status = 'failed';
    charge.failure_code = failure.code;
    charge.failure_message = failure.message;
    this.#store.save(charge);
    this.#events.emit('charge.failed', charge, cause);
    const { method } = instrument;
    const code = 'payment_intent_payment_attempt_failed';
    const error = {
      type: 'card_error',
      code,
      decline_code: failure.code,
      charge: charge.id,
      payment_method: method,
    };
    this.#fail(intent, withDocUrl({ ...error, type: 'card_error', message: failure.message }), cause);
  }

  #charge(
    intent: PaymentIntent,
    instrument: Instrument,
    how: { authenticated: boolean; cause: Cause },
  ): Paid {
    const { authenticated, cause } = how;
    if (instrument.kind === 'card' && instrument.card.decline !== undefined) {
      return this.#decline(intent, instrument, instrument.card.decline, cause);
    }
    const pending = instrument.kind === 'bank';
    const captured = !pending && !capturesManually(intent);
    const createdSec = this.#clock.nowSec();
    const charge = newCharge({ intent, instrument, createdSec, captured, authenticated, pending });
    this.#store.insert(charge);
    intent.latest_charge = charge.id;
    if (pending) {
      moveIntent(intent, 'processing');
      this.#timers.set(intent.id, 'settle', instrument.bank.delayMs);
      this.save(intent);
      this.#events.emit('charge.pending', charge, cause);
      this.#events.emit('payment_intent.processing', intent, cause);
    } else if (captured) {
      moveIntent(intent, 'succeeded');
      intent.amount_received = intent.amount;
      this.save(intent);
      this.#events.emit('charge.succeeded', charge, cause);
      this.#events.emit('payment_intent.succeeded', intent, cause);
      this.#disputeIfTested(intent, charge, cause);
    } else {
      moveIntent(intent, 'requires_capture');
      intent.amount_capturable = intent.amount;
      this.#timers.set(intent.id, 'expire', AUTHORIZATION_TTL_SEC * 1000);
      this.save(intent);
      this.#events.emit('charge.succeeded', charge, cause);
      this.#events.emit('payment_intent.amount_capturable_updated', intent, cause);
    }
    return { kind: 'accepted', intent };
  }

  #decline(intent: PaymentIntent, instrument: Instrument, decline: Decline, cause: Cause): Paid {
    const { code, message } = decline;
    const failure = { code, message, decline };
    const createdSec = this.#clock.nowSec();
    const charge = newCharge({
      intent,
      instrument,
      createdSec,
      captured: false,
      authenticated: false,
      failure,
    });
    this.#store.insert(charge);
    this.#events.emit('charge.failed', charge, cause);
    intent.latest_charge = charge.id;
    const error: ErrorBody = {
      type: 'card_error',
      code,
      // Stripe names a decline code only for what the bank said, not where the code says it all.
      ...(code === 'card_declined' ? { decline_code: decline.declineCode } : {}),
      charge: charge.id,
      message,
      payment_method: instrument.method,
    };
    return this.#fail(intent, withDocUrl(error), cause);
  }

  #fail(intent: PaymentIntent, error: ErrorBody, cause: Cause): Paid {
    moveIntent(intent, 'requires_payment_method');
    intent.payment_method = null;
    intent.next_action = null;
    intent.last_payment_error = error;
    this.save(intent);
    this.#events.emit('payment_intent.payment_failed', intent, cause);
    return { kind: 'declined', error: { ...error, payment_intent: intent } };
  }

  #disputeIfTested(intent: PaymentIntent, charge: Charge, cause: Cause): void {
    if (intent.payment_method === null) return;
    const instrument = this.#methods.ofId(intent.payment_method);
    if (instrument.kind !== 'card' || instrument.card.dispute === undefined) return;
    charge.disputed = true;
    this.#store.save(charge);
    const dispute = newDispute(charge, instrument.card, this.#clock.nowSec());
    this.#store.insert(dispute);
    this.#events.emit('charge.dispute.created', dispute, cause);
  }

  /** Money that was authorised and never taken: Stripe writes it down as a refund of that charge. */
  #release(charge: Charge, amount: number): void {
    const details = { reason: null, metadata: {} };
    const refund = newRefund({ charge, amount, details, createdSec: this.#clock.nowSec(), release: true });
    this.#store.insert(refund);
    charge.amount_refunded += amount;
    embed(charge, refund);
  }

  #latestCharge(intent: PaymentIntent): Charge {
    if (intent.latest_charge === null) throw new Error(`PaymentIntent ${intent.id} has no charge.`);
    return this.#store.get('charge', intent.latest_charge);
  }

  #writeLedger(intent: PaymentIntent): void {
    const { id, status, currency, amount, amount_capturable, amount_received, metadata } = intent;
    this.#saveLedger.run(
      id,
      status,
      currency,
      amount,
      amount_capturable,
      amount_received,
      JSON.stringify(metadata),
    );
  }
}

function capturesManually(intent: PaymentIntent): boolean {
  const own = intent.payment_method_options['card']?.['capture_method'];
  return own === 'manual' || intent.capture_method === 'manual';
}

function requireAllowedType(intent: PaymentIntent, { method }: Instrument): void {
  if (intent.payment_method_types.includes(method.type)) return;
  throw new ApiError(
    400,
    {
      type: 'invalid_request_error',
      param: 'payment_method',
      code: 'payment_intent_incompatible_payment_method',
      message: `The PaymentMethod provided (${method.type}) is not allowed for this PaymentIntent. Please attach a PaymentMethod of one of the following types: ${intent.payment_method_types.join(', ')}.`,
    },
    { executed: true },
  );
}

function nextActionOf(intent: PaymentIntent, options: AttemptOptions): PaymentIntent['next_action'] {
  const source = newId('src');
  const url = `${options.baseUrl}/_authenticate/${intent.id}/${source}`;
  if (options.returnUrl !== undefined && !options.useStripeSdk) {
    return { type: 'redirect_to_url', redirect_to_url: { return_url: options.returnUrl, url } };
  }
  return {
    type: 'use_stripe_sdk',
    use_stripe_sdk: { type: 'three_d_secure_redirect', stripe_js: url, source },
  };
}

function embed(charge: Charge, refund: Refund): void {
  charge.refunds.has_more = charge.refunds.has_more || charge.refunds.data.length >= EMBEDDED_REFUNDS_MAX;
  charge.refunds.data = [refund, ...charge.refunds.data].slice(0, EMBEDDED_REFUNDS_MAX);
}

function refusedRefund(message: string, code?: string, param?: string): ApiError {
  return new ApiError(
    400,
    {
      type: 'invalid_request_error',
      message,
      ...(code === undefined ? {} : { code }),
      ...(param === undefined ? {} : { param }),
    },
    { executed: true },
  );
}
