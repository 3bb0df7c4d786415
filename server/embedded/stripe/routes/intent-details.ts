/** The plain fields of a PaymentIntent that create, update and confirm all take: who it is for, and what it says. */

import { invalidRequest } from '../api-error.ts';
import type { PaymentIntent, Shipping } from '../objects/types.ts';
import type { Params } from '../params.ts';
import { readAddress } from '../payment-methods.ts';

type Details = Partial<
  Pick<
    PaymentIntent,
    | 'description'
    | 'receipt_email'
    | 'setup_future_usage'
    | 'shipping'
    | 'statement_descriptor'
    | 'statement_descriptor_suffix'
    | 'transfer_group'
  >
>;

const TEXT_FIELDS = [
  'description',
  'receipt_email',
  'setup_future_usage',
  'statement_descriptor',
  'statement_descriptor_suffix',
  'transfer_group',
] as const;

export function readDetails(params: Params): Details {
  const details: Details = {};
  for (const field of TEXT_FIELDS) {
    const value = params.nullableString(field);
    if (value !== undefined) details[field] = value;
  }
  const email = details.receipt_email;
  if (typeof email === 'string' && !/^[^\s@]+@[^\s@]+$/.test(email)) {
    throw invalidRequest({
      message: `Invalid email address: ${email}`,
      code: 'email_invalid',
      param: 'receipt_email',
    });
  }
  if (params.has('shipping')) details.shipping = readShipping(params);
  return details;
}

export function readShipping(params: Params): Shipping | null {
  const shipping = params.object('shipping');
  if (shipping === undefined) return null;
  return {
    address: readAddress(shipping.object('address')),
    carrier: shipping.nullableString('carrier') ?? null,
    name: shipping.nullableString('name') ?? null,
    phone: shipping.nullableString('phone') ?? null,
    tracking_number: shipping.nullableString('tracking_number') ?? null,
  };
}
