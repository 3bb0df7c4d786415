/** Makes a Refund: money given back, or the release of what was authorised and never captured. */

import { newId } from '../ids.ts';
import type { Charge, Metadata, Refund } from './types.ts';

export interface RefundDetails {
  reason: string | null;
  metadata: Metadata;
}

interface NewRefund {
  charge: Charge;
  amount: number;
  details: RefundDetails;
  createdSec: number;
  release: boolean;
}

export function newRefund({ charge, amount, details, createdSec, release }: NewRefund): Refund {
  const type = String(charge.payment_method_details['type']);
  const destination = type === 'card' ? { card: { type: release ? 'reversal' : 'refund' } } : {};
  return {
    id: newId('re'),
    object: 'refund',
    amount,
    balance_transaction: null,
    charge: charge.id,
    created: createdSec,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: { ...destination, type },
    metadata: details.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: details.reason,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
}
