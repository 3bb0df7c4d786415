/** Makes the Dispute that Stripe's dispute test cards bring about as soon as their charge is captured. */

import { newId } from '../ids.ts';
import type { TestCard } from '../test-methods.ts';
import type { Charge, Dispute } from './types.ts';

const EVIDENCE_FIELDS = (
  'access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal ' +
  'customer_communication customer_email_address customer_name customer_purchase_ip customer_signature ' +
  'duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt ' +
  'refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation ' +
  'shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number ' +
  'uncategorized_file uncategorized_text'
).split(' ');

/** About the time that card networks leave for an answer. */
const EVIDENCE_DUE_SEC = 9 * 24 * 3600;

export function newDispute(charge: Charge, card: TestCard, createdSec: number): Dispute {
  return {
    id: newId('du'),
    object: 'dispute',
    amount: charge.amount_captured,
    balance_transactions: [],
    charge: charge.id,
    created: createdSec,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: { ...Object.fromEntries(EVIDENCE_FIELDS.map(field => [field, null])), enhanced_evidence: {} },
    evidence_details: {
      due_by: createdSec + EVIDENCE_DUE_SEC,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
    },
    is_charge_refundable: card.dispute?.status === 'warning_needs_response',
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: {
        brand: card.brand,
        case_type: card.dispute?.status === 'warning_needs_response' ? 'inquiry' : 'chargeback',
        network: card.brand,
        network_reason_code: '10.4',
      },
      type: 'card',
    },
    reason: card.dispute?.reason ?? 'general',
    status: card.dispute?.status ?? 'needs_response',
  };
}
