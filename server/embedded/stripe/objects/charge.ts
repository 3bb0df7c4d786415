/** Makes the Charge that one attempt to pay leaves behind, whether it succeeded, is pending, or failed. */

import { newId } from '../ids.ts';
import type { Instrument } from '../payment-methods.ts';
import type { Decline } from '../test-methods.ts';
import type { Charge, Outcome, PaymentIntent } from './types.ts';

/** How long an online card authorisation holds; `payments.ts` cancels it then. */
export const AUTHORIZATION_TTL_SEC = 7 * 24 * 3600;

interface Attempt {
  intent: PaymentIntent;
  instrument: Instrument;
  createdSec: number;
  captured: boolean;
  authenticated: boolean;
  failure?: { code: string; message: string; decline?: Decline };
  pending?: boolean;
}

export function newCharge(attempt: Attempt): Charge {
  const { intent, instrument, failure } = attempt;
  const { method } = instrument;
  const id = newId('ch');
  const failed = failure !== undefined;
  const pending = attempt.pending === true;
  return {
    id,
    object: 'charge',
    amount: intent.amount,
    amount_captured: attempt.captured && !failed && !pending ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: method.billing_details,
    calculated_statement_descriptor: 'DOORBUSTER',
    captured: attempt.captured && !failed && !pending,
    created: attempt.createdSec,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: failure?.code ?? null,
    failure_message: failure?.message ?? null,
    fraud_details: {},
    livemode: false,
    metadata: intent.metadata,
    on_behalf_of: null,
    outcome: outcomeOf(attempt),
    paid: !failed && !pending,
    payment_intent: intent.id,
    payment_method: method.id,
    payment_method_details: detailsOf(attempt),
    receipt_email: intent.receipt_email,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    refunds: { object: 'list', data: [], has_more: false, url: `/v1/charges/${id}/refunds` },
    review: null,
    shipping: intent.shipping,
    source: null,
    source_transfer: null,
    statement_descriptor: intent.statement_descriptor,
    statement_descriptor_suffix: intent.statement_descriptor_suffix,
    status: failed ? 'failed' : pending ? 'pending' : 'succeeded',
    transfer_data: null,
    transfer_group: intent.transfer_group,
  };
}

function outcomeOf({ failure }: Attempt): Outcome {
  const decline = failure?.decline;
  const common = { advice_code: null, network_advice_code: null, network_decline_code: null } as const;
  if (failure === undefined) {
    return {
      ...common,
      network_status: 'approved_by_network',
      reason: null,
      risk_level: 'normal',
      risk_score: 24,
      seller_message: 'Payment complete.',
      type: 'authorized',
    };
  }
  if (decline?.blocked === true) {
    return {
      ...common,
      network_status: 'not_sent_to_network',
      reason: 'highest_risk_level',
      risk_level: 'highest',
      risk_score: 92,
      seller_message: 'Stripe blocked this payment as too risky.',
      type: 'blocked',
    };
  }
  return {
    ...common,
    advice_code: 'try_again_later',
    network_decline_code: '01',
    network_status: 'declined_by_network',
    reason: decline?.declineCode ?? failure.code,
    risk_level: 'normal',
    risk_score: 35,
    seller_message: 'The bank did not return any further details with this decline.',
    type: 'issuer_declined',
  };
}

function detailsOf({
  intent,
  instrument,
  createdSec,
  captured,
  authenticated,
  failure,
}: Attempt): Record<string, unknown> {
  const { method } = instrument;
  if (instrument.kind === 'bank') return { type: method.type, [method.type]: method[instrument.bank.type] };
  const face = method.card;
  return {
    type: 'card',
    card: {
      amount_authorized: failure === undefined ? intent.amount : null,
      authorization_code: failure === undefined ? '123456' : null,
      brand: face?.brand,
      checks: face?.['checks'],
      country: face?.country,
      exp_month: face?.exp_month,
      exp_year: face?.exp_year,
      extended_authorization: { status: 'disabled' },
      fingerprint: face?.fingerprint,
      funding: face?.funding,
      incremental_authorization: { status: 'unavailable' },
      installments: null,
      last4: face?.last4,
      mandate: null,
      multicapture: { status: 'unavailable' },
      network: face?.brand,
      network_token: { used: false },
      network_transaction_id: null,
      overcapture: { maximum_amount_capturable: intent.amount, status: 'unavailable' },
      regulated_status: 'unregulated',
      three_d_secure: authenticated ? AUTHENTICATED : null,
      transaction_link_id: null,
      wallet: null,
      ...(captured ? {} : { capture_before: createdSec + AUTHORIZATION_TTL_SEC }),
    },
  };
}

const AUTHENTICATED = {
  authentication_flow: 'challenge',
  electronic_commerce_indicator: '05',
  exemption_indicator: null,
  result: 'authenticated',
  result_reason: null,
  transaction_id: null,
  version: '2.2.0',
};
