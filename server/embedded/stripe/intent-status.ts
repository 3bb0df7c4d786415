/**
 * The life of a PaymentIntent: the one table of its transitions, and Stripe's refusals for what it does not allow.
 * Nothing else assigns a status.
 *
 *   requires_payment_method ⇄ requires_confirmation → requires_action → requires_capture → succeeded
 *                                                                     ↘ processing ↗      ↘ canceled
 */

import { ApiError } from './api-error.ts';
import type { IntentStatus, PaymentIntent } from './objects/types.ts';

const CHARGED = ['processing', 'requires_capture', 'succeeded'] as const;

const TRANSITIONS: Readonly<Record<IntentStatus, readonly IntentStatus[]>> = {
  requires_payment_method: [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    ...CHARGED,
    'canceled',
  ],
  requires_confirmation: [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    ...CHARGED,
    'canceled',
  ],
  requires_action: [
    'requires_payment_method',
    'requires_confirmation',
    'requires_action',
    ...CHARGED,
    'canceled',
  ],
  processing: ['succeeded', 'requires_payment_method'],
  requires_capture: ['succeeded', 'canceled'],
  succeeded: [],
  canceled: [],
};

export function moveIntent(intent: PaymentIntent, to: IntentStatus): void {
  if (!TRANSITIONS[intent.status].includes(to)) {
    throw new Error(`PaymentIntent ${intent.id} cannot go from ${intent.status} to ${to}.`);
  }
  intent.status = to;
}

function unexpectedState(intent: PaymentIntent, message: string): ApiError {
  return new ApiError(
    400,
    {
      type: 'invalid_request_error',
      code: 'payment_intent_unexpected_state',
      message,
      payment_intent: intent,
    },
    { executed: true },
  );
}

export function requireConfirmable(intent: PaymentIntent, hasMethod: boolean): void {
  switch (intent.status) {
    case 'requires_payment_method':
      if (hasMethod) return;
      throw unexpectedState(
        intent,
        "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method or ConfirmationToken.",
      );
    case 'requires_confirmation':
    case 'requires_action':
      return;
    case 'succeeded':
      throw unexpectedState(
        intent,
        'You cannot confirm this PaymentIntent because it has already succeeded after being previously confirmed.',
      );
    case 'processing':
    case 'requires_capture':
    case 'canceled':
      throw unexpectedState(
        intent,
        `You cannot confirm this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be confirmed: requires_confirmation, requires_action.`,
      );
  }
}

export function requireCapturable(intent: PaymentIntent): void {
  if (intent.status === 'requires_capture') return;
  throw unexpectedState(
    intent,
    intent.status === 'succeeded'
      ? 'This PaymentIntent could not be captured because it has already been captured.'
      : `This PaymentIntent could not be captured because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be captured: requires_capture.`,
  );
}

/** Stripe cancels a `processing` one "in rare cases"; a bank debit under way is none of them. */
export function requireCancelable(intent: PaymentIntent): void {
  if (TRANSITIONS[intent.status].includes('canceled')) return;
  throw unexpectedState(
    intent,
    `You cannot cancel this PaymentIntent because it has a status of ${intent.status}. Only a PaymentIntent with one of the following statuses may be canceled: requires_payment_method, requires_capture, requires_confirmation, requires_action.`,
  );
}

export function requireEditable(intent: PaymentIntent, field: string): void {
  switch (intent.status) {
    case 'requires_payment_method':
    case 'requires_confirmation':
    case 'requires_action':
      return;
    case 'processing':
    case 'requires_capture':
    case 'succeeded':
    case 'canceled':
      throw unexpectedState(
        intent,
        `This PaymentIntent's ${field} could not be updated because it has a status of ${intent.status}. You may only update the ${field} of a PaymentIntent with one of the following statuses: requires_payment_method, requires_confirmation, requires_action.`,
      );
  }
}
