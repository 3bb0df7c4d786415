/**
 * Which payment methods a PaymentIntent takes, and with which one it is paid.
 *
 * Since API version 2026-09-30 the list cannot be given by `payment_method_types` any more: the account's methods are
 * offered, all of them, or without the excluded, or only the allowed; what does not fit the currency or the capture
 * method is left out silently. Requests of an older version, or of none, may still name `payment_method_types`.
 */

import type { Account } from '../account.ts';
import { invalidRequest, parameterMissing } from '../api-error.ts';
import type { CaptureMethod, MethodType, PaymentIntent } from '../objects/types.ts';
import type { Params } from '../params.ts';
import type { Instrument } from '../payment-methods.ts';

const TYPES = ['card', 'us_bank_account', 'sepa_debit'] as const;
const LISTS_REFUSED_SINCE = '2026-09-30';

export type TypeChoice =
  | { kind: 'automatic'; redirects: 'always' | 'never'; excluded: string[] | null }
  | { kind: 'allowed'; names: string[] }
  /** The strict list of older versions: a method that does not fit is an error. */
  | { kind: 'listed'; types: MethodType[] };

export function readTypeChoice(params: Params, version: string): TypeChoice {
  const redirects = readAutomatic(params);
  const excluded = params.strings('excluded_payment_method_types');
  const allowed = params.strings('allowed_payment_method_types');
  const listed = params.strings('payment_method_types');
  if (listed !== undefined && version >= LISTS_REFUSED_SINCE) {
    throw invalidRequest({
      message:
        'The `payment_method_types` parameter is no longer supported. Use dynamic payment methods, and `allowed_payment_method_types` or `excluded_payment_method_types` where you need more control.',
      code: 'payment_method_types_no_longer_supported',
      param: 'payment_method_types',
    });
  }
  const given = Object.entries({
    automatic_payment_methods: redirects,
    allowed_payment_method_types: allowed,
    payment_method_types: listed,
  }).filter(([, value]) => value !== undefined);
  const [, second] = given;
  if (second !== undefined || (excluded !== undefined && (allowed ?? listed) !== undefined)) {
    const names = [
      ...given.map(([name]) => name),
      ...(excluded === undefined ? [] : ['excluded_payment_method_types']),
    ];
    throw invalidRequest({
      message: `You may only specify one of these parameters: ${names.join(', ')}.`,
      code: 'parameters_exclusive',
      param: names.at(-1) ?? '',
    });
  }
  if (allowed !== undefined) return { kind: 'allowed', names: allowed };
  if (listed !== undefined) return { kind: 'listed', types: listed.map(checkType) };
  return { kind: 'automatic', redirects: redirects ?? 'always', excluded: excluded ?? null };
}

function readAutomatic(params: Params): 'always' | 'never' | undefined {
  const automatic = params.object('automatic_payment_methods');
  if (automatic === undefined) return undefined;
  const enabled = automatic.boolean('enabled');
  const redirects = automatic.choice('allow_redirects', ['always', 'never']);
  if (enabled === undefined) throw parameterMissing('automatic_payment_methods[enabled]');
  return enabled ? (redirects ?? 'always') : undefined;
}

function checkType(name: string, index: number): MethodType {
  const type = TYPES.find(known => known === name);
  if (type !== undefined) return type;
  throw invalidRequest({
    message: `The payment method type "${name}" is invalid. Please ensure the provided type is activated in your dashboard and your account is enabled for any preview features that you are trying to use.`,
    code: 'payment_intent_invalid_parameter',
    param: `payment_method_types[${index}]`,
  });
}

interface Terms {
  currency: string;
  captureMethod: CaptureMethod;
}

export function typesFor(choice: TypeChoice, terms: Terms): MethodType[] {
  if (choice.kind === 'listed') {
    const unfit = choice.types.find(type => type !== 'card');
    if (terms.captureMethod !== 'manual' || unfit === undefined) return choice.types;
    throw invalidRequest({
      message: `The payment method ${unfit} cannot be used with a capture method of manual.`,
      code: 'payment_intent_invalid_parameter',
      param: 'capture_method',
    });
  }
  const types = TYPES.filter(type => {
    if (!fits(type, terms)) return false;
    return choice.kind === 'allowed' ? choice.names.includes(type) : choice.excluded?.includes(type) !== true;
  });
  if (types.length > 0) return types;
  throw invalidRequest({
    message:
      'No valid payment method types for this Payment Intent. Please ensure that you have activated payment methods compatible with your chosen currency and capture method.',
    ...(choice.kind === 'allowed' ? { param: 'allowed_payment_method_types' } : {}),
  });
}

function fits(type: MethodType, { currency, captureMethod }: Terms): boolean {
  switch (type) {
    case 'card':
      return true;
    case 'us_bank_account':
      return currency === 'usd' && captureMethod !== 'manual';
    case 'sepa_debit':
      return currency === 'eur' && captureMethod !== 'manual';
  }
}

type MethodOptions = Array<[MethodType, Record<string, string>]>;

export function readMethodOptions(params: Params): MethodOptions {
  const all = params.object('payment_method_options');
  return TYPES.flatMap((type): MethodOptions => {
    const own = all?.object(type);
    if (own === undefined) return [];
    const captureMethod = type === 'card' ? own.choice('capture_method', ['manual']) : undefined;
    const secure = own.choice('request_three_d_secure', ['automatic', 'any', 'challenge']);
    own.skip('setup_future_usage', 'verification_method', 'mandate_options');
    return [
      [
        type,
        {
          ...(captureMethod === undefined ? {} : { capture_method: captureMethod }),
          ...(secure === undefined ? {} : { request_three_d_secure: secure }),
        },
      ],
    ];
  });
}

export function mergeOptions(
  current: PaymentIntent['payment_method_options'],
  changes: MethodOptions,
  types: readonly MethodType[],
): PaymentIntent['payment_method_options'] {
  const merged: PaymentIntent['payment_method_options'] = { ...current };
  if (types.includes('card')) {
    const initial = {
      installments: null,
      mandate_options: null,
      network: null,
      request_three_d_secure: 'automatic',
    };
    merged['card'] = merged['card'] ?? initial;
  }
  for (const [type, values] of changes) merged[type] = { ...merged[type], ...values };
  return merged;
}

/** Reads which method is meant now, and makes it later, when everything else has been checked. */
export function readMethod(params: Params): ((methods: Account['methods']) => Instrument) | undefined {
  const id = params.string('payment_method');
  const data = params.object('payment_method_data');
  if (id !== undefined && data !== undefined) {
    throw invalidRequest({
      message: 'You may only specify one of these parameters: payment_method, payment_method_data.',
      code: 'parameters_exclusive',
      param: 'payment_method',
    });
  }
  if (data !== undefined) {
    // Raw data is read by whoever makes the method of it, but its names must count as read already.
    data.skip(
      'type',
      'card',
      'us_bank_account',
      'sepa_debit',
      'billing_details',
      'allow_redisplay',
      'metadata',
    );
    data.skip('guid', 'muid', 'sid', 'payment_user_agent', 'referrer', 'time_on_page');
    return methods => methods.ofData(data);
  }
  return id === undefined ? undefined : methods => methods.ofId(id);
}
