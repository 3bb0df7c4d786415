import type { StripeError } from '@stripe/stripe-js';
import { texts } from '../texts/texts.ts';

const reasons = [
  'insufficient_funds',
  'expired_card',
  'incorrect_cvc',
  'processing_error',
  'payment_intent_authentication_failure',
  'card_declined',
] as const;

type Failed = Pick<StripeError, 'type'> & { code?: string; decline_code?: string; message?: string };

/** Why a payment did not go through, and what to do about it. */
export function explainDecline(error: Failed): string {
  const words = texts.checkout.declined;
  // What the form itself found missing, it marks in its own fields.
  if (error.type === 'validation_error') return words.incomplete;
  if (error.type === 'api_connection_error') return `${words.api_connection_error} ${words.tail}`;
  // The decline code is the more exact one: `card_declined` for `insufficient_funds`.
  const known = reasons.find(reason => reason === error.decline_code || reason === error.code);
  return `${known ? words[known] : words.other(error.message ?? '')} ${words.tail}`;
}
