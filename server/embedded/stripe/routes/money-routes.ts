/** `/v1/charges`, `/v1/refunds`, `/v1/disputes` and `/v1/payment_methods`: what came of a payment. */

import type { Account } from '../account.ts';
import { ApiError, invalidRequest } from '../api-error.ts';
import { readPageRequest } from '../object-store.ts';
import type { Charge } from '../objects/types.ts';
import { mergeMetadata, type Params } from '../params.ts';
import { type Answer, type Call, ok, type Route } from './route.ts';

const REFUND_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer'] as const;

function createRefund({ store, payments }: Account, call: Call): Answer {
  const { params } = call;
  const intentId = params.string('payment_intent');
  const chargeId = params.string('charge');
  const amount = params.integer('amount');
  const reason = params.choice('reason', REFUND_REASONS) ?? null;
  const metadata = mergeMetadata({}, params.metadata());
  params.done();
  if (intentId === undefined && chargeId === undefined) {
    throw invalidRequest({
      message: 'One of the following params should be provided for this request: payment_intent or charge.',
      code: 'parameter_missing',
    });
  }
  const charge =
    intentId === undefined ? store.get('charge', chargeId ?? '', 'charge') : chargeOf(store, intentId);
  return ok(payments.refund(charge, { amount, reason, metadata }, call.cause));
}

function chargeOf(store: Account['store'], intentId: string): Charge {
  const intent = store.get('payment_intent', intentId, 'payment_intent');
  if (intent.latest_charge !== null && intent.status === 'succeeded')
    return store.get('charge', intent.latest_charge);
  const message =
    intent.status === 'requires_capture'
      ? `This PaymentIntent (${intentId}) has not been captured yet. Cancel the PaymentIntent to release its authorization.`
      : `This PaymentIntent (${intentId}) does not have a successful charge to refund.`;
  throw new ApiError(
    400,
    { type: 'invalid_request_error', message, param: 'payment_intent' },
    { executed: true },
  );
}

function updateRefund({ store, events }: Account, call: Call): Answer {
  const metadata = call.params.metadata();
  call.params.done();
  const refund = store.get('refund', call.id);
  const previous = { metadata: refund.metadata };
  refund.metadata = mergeMetadata(refund.metadata, metadata);
  store.save(refund);
  events.emit('charge.refund.updated', refund, call.cause, previous);
  events.emit('refund.updated', refund, call.cause, previous);
  return ok(refund);
}

function updateCharge({ store, events }: Account, call: Call): Answer {
  const { params } = call;
  const metadata = params.metadata();
  const description = params.nullableString('description');
  params.done();
  const charge = store.get('charge', call.id);
  const previous = { metadata: charge.metadata, description: charge.description };
  charge.metadata = mergeMetadata(charge.metadata, metadata);
  if (description !== undefined) charge.description = description;
  store.save(charge);
  events.emit('charge.updated', charge, call.cause, previous);
  return ok(charge);
}

type Listed = 'charge' | 'refund' | 'dispute';
const FILTERS: Readonly<Record<Listed, ReadonlyArray<'payment_intent' | 'charge' | 'customer'>>> = {
  charge: ['payment_intent', 'customer'],
  refund: ['payment_intent', 'charge'],
  dispute: ['payment_intent', 'charge'],
};

function lister(kind: Listed): Route['run'] {
  return ({ store }, { params }) => {
    const page = readPageRequest(params);
    const filters = readFilters(params, FILTERS[kind]);
    params.done();
    return ok(store.list(kind, page, filters, `/v1/${kind}s`));
  };
}

function readFilters(
  params: Params,
  names: ReadonlyArray<'payment_intent' | 'charge' | 'customer'>,
): Record<string, string> {
  const found = names.flatMap((name): Array<[string, string]> => {
    const value = params.string(name);
    return value === undefined ? [] : [[name, value]];
  });
  return Object.fromEntries(found);
}

function retriever(kind: Listed | 'payment_method'): Route['run'] {
  return ({ store }, { id, params }) => {
    params.done();
    return ok(store.get(kind, id));
  };
}

function createPaymentMethod({ methods }: Account, { params }: Call): Answer {
  const { method } = methods.ofData(params);
  params.skip('key');
  params.done();
  return ok(method);
}

/** A captured charge's status never changes by itself; refunds end at once, so there is nothing to cancel. */
export const moneyRoutes: Route[] = [
  { method: 'GET', path: '/v1/charges', operation: 'charges.list', run: lister('charge') },
  { method: 'GET', path: '/v1/charges/:id', operation: 'charges.retrieve', run: retriever('charge') },
  { method: 'POST', path: '/v1/charges/:id', operation: 'charges.update', run: updateCharge },
  { method: 'POST', path: '/v1/refunds', operation: 'refunds.create', run: createRefund },
  { method: 'GET', path: '/v1/refunds', operation: 'refunds.list', run: lister('refund') },
  { method: 'GET', path: '/v1/refunds/:id', operation: 'refunds.retrieve', run: retriever('refund') },
  { method: 'POST', path: '/v1/refunds/:id', operation: 'refunds.update', run: updateRefund },
  { method: 'GET', path: '/v1/disputes', operation: 'disputes.list', run: lister('dispute') },
  { method: 'GET', path: '/v1/disputes/:id', operation: 'disputes.retrieve', run: retriever('dispute') },
  {
    method: 'POST',
    path: '/v1/payment_methods',
    operation: 'payment_methods.create',
    isPublic: true,
    run: createPaymentMethod,
  },
  {
    method: 'GET',
    path: '/v1/payment_methods/:id',
    operation: 'payment_methods.retrieve',
    run: retriever('payment_method'),
  },
];
