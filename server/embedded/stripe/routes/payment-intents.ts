/** `/v1/payment_intents`: reads the parameters, asks `Payments`, and shows what the key may see. */

import type { Account } from '../account.ts';
import { ApiError, invalidRequest, parameterMissing } from '../api-error.ts';
import { checkAmount, checkCurrency } from '../currencies.ts';
import { newClientSecret, newId } from '../ids.ts';
import { moveIntent, requireConfirmable, requireEditable } from '../intent-status.ts';
import { readPageRequest } from '../object-store.ts';
import type { CaptureMethod, PaymentIntent } from '../objects/types.ts';
import { mergeMetadata, type Params } from '../params.ts';
import type { AttemptOptions, Paid } from '../payments.ts';
import { readDetails } from './intent-details.ts';
import {
  mergeOptions,
  readMethod,
  readMethodOptions,
  readTypeChoice,
  type TypeChoice,
  typesFor,
} from './intent-methods.ts';
import { type Answer, type Call, ok, type Route } from './route.ts';

const CAPTURE_METHODS = ['automatic', 'automatic_async', 'manual'] as const;
const CANCELLATION_REASONS = ['duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'] as const;

function create({ payments, clock, methods, store }: Account, call: Call): Answer {
  const { params } = call;
  const amount = params.integer('amount');
  const currencyText = params.string('currency');
  const captureMethod = params.choice<CaptureMethod>('capture_method', CAPTURE_METHODS) ?? 'automatic_async';
  const choice = readTypeChoice(params, call.version);
  const confirmationMethod = params.choice('confirmation_method', ['automatic', 'manual']) ?? 'automatic';
  const customer = params.string('customer') ?? null;
  const details = readDetails(params);
  const options = readMethodOptions(params);
  const metadata = mergeMetadata({}, params.metadata());
  const confirmNow = params.boolean('confirm') ?? false;
  const attempt = readAttempt(params, call);
  const method = readMethod(params);
  params.done();

  if (amount === undefined) throw parameterMissing('amount');
  if (currencyText === undefined) throw parameterMissing('currency');
  const currency = checkCurrency(currencyText);
  checkAmount(amount, currency);
  if (customer !== null) store.get('customer', customer, 'customer');

  const id = newId('pi');
  const types = typesFor(choice, { currency, captureMethod });
  const intent: PaymentIntent = {
    id,
    object: 'payment_intent',
    amount,
    amount_capturable: 0,
    amount_details: { tip: {} },
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods:
      choice.kind === 'automatic' ? { allow_redirects: choice.redirects, enabled: true } : null,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: captureMethod,
    client_secret: newClientSecret(id),
    confirmation_method: confirmationMethod,
    created: clock.nowSec(),
    currency,
    customer,
    customer_account: null,
    description: null,
    excluded_payment_method_types: choice.kind === 'automatic' ? choice.excluded : null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: mergeOptions({}, options, types),
    payment_method_types: types,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_data: null,
    transfer_group: null,
    ...details,
  };
  if (confirmNow) requireReturnUrl(intent, attempt, call);
  const instrument = method === undefined ? undefined : method(methods);
  if (instrument !== undefined) {
    intent.payment_method = instrument.method.id;
    moveIntent(intent, 'requires_confirmation');
  }
  if (confirmNow && instrument === undefined) requireConfirmable(intent, false);
  payments.create(intent, call.cause);
  if (!confirmNow || instrument === undefined) return ok(intent);
  return answerOf(payments.confirm(intent, instrument, attempt, call.cause), call);
}

function retrieve({ store }: Account, call: Call): Answer {
  const { params } = call;
  const clientSecret = params.string('client_secret');
  params.skip('key', 'is_stripe_sdk', '_stripe_account', '_stripe_version');
  params.done();
  const intent = store.get('payment_intent', call.id);
  checkClientSecret(intent, clientSecret, call);
  return ok(visible(intent, call));
}

function update({ store, payments, methods, events }: Account, call: Call): Answer {
  const { params } = call;
  const amount = params.integer('amount');
  const currencyText = params.string('currency');
  const captureMethod = params.choice<CaptureMethod>('capture_method', CAPTURE_METHODS);
  const customer = params.nullableString('customer');
  const details = readDetails(params);
  const options = readMethodOptions(params);
  const metadata = params.metadata();
  const choice = readTypeChoice(params, call.version);
  const method = readMethod(params);
  params.done();

  const intent = store.get('payment_intent', call.id);
  const currency = currencyText === undefined ? intent.currency : checkCurrency(currencyText);
  if (amount !== undefined || currencyText !== undefined) {
    requireEditable(intent, amount === undefined ? 'currency' : 'amount');
    checkAmount(amount ?? intent.amount, currency);
  }
  if (captureMethod !== undefined) requireEditable(intent, 'capture_method');
  if (choice.kind !== 'automatic') requireEditable(intent, 'payment_method_types');
  if (method !== undefined) requireEditable(intent, 'payment_method');
  if (customer !== undefined) requireEditable(intent, 'customer');
  if (typeof customer === 'string') store.get('customer', customer, 'customer');

  Object.assign(intent, details);
  intent.amount = amount ?? intent.amount;
  intent.currency = currency;
  intent.capture_method = captureMethod ?? intent.capture_method;
  narrow(intent, choice);
  if (customer !== undefined) intent.customer = customer;
  intent.metadata = mergeMetadata(intent.metadata, metadata);
  intent.payment_method_options = mergeOptions(
    intent.payment_method_options,
    options,
    intent.payment_method_types,
  );
  if (method !== undefined) {
    intent.payment_method = method(methods).method.id;
    intent.next_action = null;
    moveIntent(intent, 'requires_confirmation');
  }
  payments.save(intent);
  if (intent.latest_charge !== null && metadata !== undefined)
    events.emit('payment_intent.updated', intent, call.cause);
  return ok(intent);
}

function confirm({ store, payments, methods }: Account, call: Call): Answer {
  const { params } = call;
  const clientSecret = params.string('client_secret');
  const details = readDetails(params);
  const options = readMethodOptions(params);
  const choice = readTypeChoice(params, call.version);
  const attempt = readAttempt(params, call);
  const method = readMethod(params);
  params.skip('key', 'expected_payment_method_type', 'client_context', 'radar_options', '_stripe_version');
  params.done();

  const intent = store.get('payment_intent', call.id);
  checkClientSecret(intent, clientSecret, call);
  if (call.scope === 'publishable' && intent.confirmation_method === 'manual') {
    throw invalidRequest({
      message:
        'This PaymentIntent cannot be confirmed using your publishable key because its `confirmation_method` is set to `manual`. Please use your secret key instead.',
      code: 'payment_intent_invalid_parameter',
    });
  }
  const stored = intent.payment_method;
  requireConfirmable(intent, method !== undefined || stored !== null);
  requireReturnUrl(intent, attempt, call);
  const instrument =
    method === undefined ? (stored === null ? undefined : methods.ofId(stored)) : method(methods);
  if (instrument === undefined) throw new Error('A confirmable PaymentIntent has a payment method.');
  Object.assign(intent, details);
  narrow(intent, choice);
  intent.payment_method_options = mergeOptions(
    intent.payment_method_options,
    options,
    intent.payment_method_types,
  );
  return answerOf(payments.confirm(intent, instrument, attempt, call.cause), call);
}

function capture({ store, payments }: Account, call: Call): Answer {
  const { params } = call;
  const amount = params.integer('amount_to_capture');
  const metadata = params.metadata();
  const suffix = params.nullableString('statement_descriptor_suffix');
  const descriptor = params.nullableString('statement_descriptor');
  const isFinal = params.boolean('final_capture');
  params.done();
  if (isFinal === false) {
    throw invalidRequest({
      message: 'Multicapture is not available for this payment.',
      param: 'final_capture',
    });
  }
  const intent = store.get('payment_intent', call.id);
  intent.metadata = mergeMetadata(intent.metadata, metadata);
  if (suffix !== undefined) intent.statement_descriptor_suffix = suffix;
  if (descriptor !== undefined) intent.statement_descriptor = descriptor;
  payments.capture(intent, amount, call.cause);
  return ok(intent);
}

function cancel({ store, payments }: Account, call: Call): Answer {
  const reason = call.params.choice('cancellation_reason', CANCELLATION_REASONS) ?? null;
  call.params.done();
  const intent = store.get('payment_intent', call.id);
  payments.cancel(intent, reason, call.cause);
  return ok(intent);
}

function list({ store }: Account, { params }: Call): Answer {
  const page = readPageRequest(params);
  const customer = params.string('customer');
  params.done();
  return ok(
    store.list('payment_intent', page, customer === undefined ? {} : { customer }, '/v1/payment_intents'),
  );
}

export const paymentIntentRoutes: Route[] = [
  { method: 'POST', path: '/v1/payment_intents', operation: 'payment_intents.create', run: create },
  { method: 'GET', path: '/v1/payment_intents', operation: 'payment_intents.list', run: list },
  {
    method: 'GET',
    path: '/v1/payment_intents/:id',
    operation: 'payment_intents.retrieve',
    isPublic: true,
    run: retrieve,
  },
  { method: 'POST', path: '/v1/payment_intents/:id', operation: 'payment_intents.update', run: update },
  {
    method: 'POST',
    path: '/v1/payment_intents/:id/confirm',
    operation: 'payment_intents.confirm',
    isPublic: true,
    run: confirm,
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/:id/capture',
    operation: 'payment_intents.capture',
    run: capture,
  },
  {
    method: 'POST',
    path: '/v1/payment_intents/:id/cancel',
    operation: 'payment_intents.cancel',
    run: cancel,
  },
];

/** A list of allowed types given later replaces the one of before; leaving it out changes nothing. */
function narrow(intent: PaymentIntent, choice: TypeChoice): void {
  if (choice.kind === 'automatic') return;
  const { currency, capture_method: captureMethod } = intent;
  intent.payment_method_types = typesFor(choice, { currency, captureMethod });
  intent.automatic_payment_methods = null;
}

function readAttempt(params: Params, call: Call): AttemptOptions {
  params.skip('mandate_data', 'mandate', 'error_on_requires_action');
  return {
    offSession: params.boolean('off_session') ?? false,
    returnUrl: params.string('return_url'),
    useStripeSdk: params.boolean('use_stripe_sdk') ?? false,
    baseUrl: call.baseUrl,
  };
}

/**
 * With every method of the account offered, some of which send the buyer elsewhere, Stripe wants to know beforehand
 * where they come back to. Its own browser script asks for that later, so a publishable key is exempt.
 */
function requireReturnUrl(intent: PaymentIntent, attempt: AttemptOptions, call: Call): void {
  if (call.scope === 'publishable' || intent.automatic_payment_methods?.allow_redirects !== 'always') return;
  if (attempt.returnUrl !== undefined || attempt.useStripeSdk) return;
  throw invalidRequest({
    message:
      "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. Because some of these payment methods might redirect your customer off of your page, you must provide a `return_url`. If you don't want to accept redirect-based payment methods, set `automatic_payment_methods[enabled]` to `true` and `automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents and Payment Intents.",
  });
}

function checkClientSecret(intent: PaymentIntent, clientSecret: string | undefined, call: Call): void {
  if (clientSecret === undefined) {
    if (call.scope === 'secret') return;
    throw parameterMissing('client_secret');
  }
  if (clientSecret === intent.client_secret) return;
  throw invalidRequest({
    message: 'The client_secret provided does not match the client_secret associated with the PaymentIntent.',
    code: 'payment_intent_invalid_parameter',
    param: 'client_secret',
  });
}

function answerOf(paid: Paid, call: Call): Answer {
  switch (paid.kind) {
    case 'accepted':
      return ok(visible(paid.intent, call));
    case 'declined': {
      const { payment_intent: intent, ...error } = paid.error;
      const shown = intent === undefined ? {} : { payment_intent: visible(intent, call) };
      const status = error.type === 'card_error' ? 402 : 400;
      return { status, body: { error: new ApiError(status, { ...error, ...shown }).body } };
    }
  }
}

/** What Stripe shows of a PaymentIntent to the holder of its client secret. */
const PUBLIC_FIELDS = new Set(
  (
    'id object amount amount_details automatic_payment_methods canceled_at cancellation_reason capture_method ' +
    'client_secret confirmation_method created currency description last_payment_error livemode next_action ' +
    'payment_method payment_method_configuration_details payment_method_types processing receipt_email ' +
    'setup_future_usage shipping source status'
  ).split(' '),
);

function visible(intent: object, call: Call): object {
  if (call.scope === 'secret') return intent;
  return Object.fromEntries(Object.entries(intent).filter(([field]) => PUBLIC_FIELDS.has(field)));
}
