/**
 * Makes PaymentMethod objects out of test tokens and of raw test data, and finds again how a stored one behaves.
 *
 * A raw number is never stored: a card is known by its fingerprint afterwards, like at Stripe.
 */

import { ApiError, invalidRequest, resourceMissing } from './api-error.ts';
import { fingerprintOf, newId } from './ids.ts';
import type { ObjectStore } from './object-store.ts';
import type { Address, BillingDetails, MethodType, PaymentMethod } from './objects/types.ts';
import type { Params } from './params.ts';
import {
  allTestBanks,
  allTestCards,
  bankOfIban,
  bankOfNumber,
  bankOfToken,
  cardOfNumber,
  cardOfToken,
  passesLuhn,
  type TestBankAccount,
  type TestCard,
} from './test-methods.ts';

/** What will be charged: a test card or a test bank account, with the object that the API shows for it. */
export type Instrument =
  | { kind: 'card'; card: TestCard; method: PaymentMethod }
  | { kind: 'bank'; bank: TestBankAccount; method: PaymentMethod };

const EMPTY_ADDRESS: Address = {
  city: null,
  country: null,
  line1: null,
  line2: null,
  postal_code: null,
  state: null,
};
const EMPTY_BILLING: BillingDetails = {
  address: EMPTY_ADDRESS,
  email: null,
  name: null,
  phone: null,
  tax_id: null,
};

export class PaymentMethods {
  readonly #store: ObjectStore;
  readonly #nowSec: () => number;

  constructor(store: ObjectStore, nowSec: () => number) {
    this.#store = store;
    this.#nowSec = nowSec;
  }

  /** Resolves `payment_method`: a test token makes a new object, as at Stripe; anything else must exist. */
  ofId(id: string): Instrument {
    const card = cardOfToken(id);
    if (card !== undefined)
      return this.#newCard(card, { expMonth: 12, expYear: this.#cardYear() }, EMPTY_BILLING);
    const bank = bankOfToken(id);
    if (bank !== undefined) return this.#newBank(bank, EMPTY_BILLING);
    const method = this.#store.find('payment_method', id);
    if (method === undefined) throw resourceMissing('PaymentMethod', id, 'payment_method');
    return instrumentOf(method);
  }

  /** Resolves `payment_method_data`: raw test data, as the browser's form sends it. */
  ofData(params: Params): Instrument {
    const type = params.choice<MethodType>('type', ['card', 'us_bank_account', 'sepa_debit']);
    const billing = readBilling(params.object('billing_details'));
    params.string('allow_redisplay');
    switch (type) {
      case 'card':
        return this.#readCard(params.object('card'), billing);
      case 'us_bank_account': {
        const account = params.object('us_bank_account');
        const number = account?.requiredString('account_number') ?? '';
        for (const field of ['routing_number', 'account_holder_type', 'account_type']) account?.string(field);
        const bank = bankOfNumber(number);
        if (bank === undefined) throw unknownTestData('us_bank_account[account_number]');
        return this.#newBank(bank, billing);
      }
      case 'sepa_debit': {
        const bank = bankOfIban(params.object('sepa_debit')?.requiredString('iban') ?? '');
        if (bank === undefined) throw unknownTestData('sepa_debit[iban]');
        return this.#newBank(bank, billing);
      }
      case undefined:
        throw invalidRequest({
          message: `Missing required param: ${params.name('type')}.`,
          code: 'parameter_missing',
          param: params.name('type'),
        });
    }
  }

  #readCard(params: Params | undefined, billing: BillingDetails): Instrument {
    if (params === undefined) {
      throw invalidRequest({
        message: 'Missing required param: card.',
        code: 'parameter_missing',
        param: 'card',
      });
    }
    const token = params.string('token');
    if (token !== undefined) {
      const byToken = cardOfToken(token.replace(/^tok_/, 'pm_card_'));
      if (byToken === undefined) throw resourceMissing('token', token, params.name('token'));
      return this.#newCard(byToken, { expMonth: 12, expYear: this.#cardYear() }, billing);
    }
    const number = params.requiredString('number').replaceAll(' ', '');
    const expMonth = params.integer('exp_month') ?? 0;
    const shortYear = params.integer('exp_year') ?? 0;
    const expYear = shortYear < 100 ? 2000 + shortYear : shortYear;
    const cvc = params.string('cvc');
    const now = new Date(this.#nowSec() * 1000);
    if (!passesLuhn(number)) throw cardError('incorrect_number', 'Your card number is incorrect.', 'number');
    if (expMonth < 1 || expMonth > 12) {
      throw cardError('invalid_expiry_month', "Your card's expiration month is invalid.", 'exp_month');
    }
    if (expYear * 12 + expMonth < now.getUTCFullYear() * 12 + now.getUTCMonth() + 1) {
      throw cardError('invalid_expiry_year', "Your card's expiration year is invalid.", 'exp_year');
    }
    if (cvc !== undefined && !/^\d{3,4}$/.test(cvc)) {
      throw cardError('invalid_cvc', "Your card's security code is invalid.", 'cvc');
    }
    const card = cardOfNumber(number);
    if (card === undefined) {
      // Test mode refuses real cards with exactly this decline; so does this.
      throw new ApiError(
        402,
        {
          type: 'card_error',
          code: 'card_declined',
          decline_code: 'test_mode_live_card',
          message:
            'Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test cards, visit: https://stripe.com/docs/testing.',
        },
        { executed: true },
      );
    }
    return this.#newCard(card, { expMonth, expYear }, billing);
  }

  #cardYear(): number {
    return new Date(this.#nowSec() * 1000).getUTCFullYear() + 1;
  }

  #newCard(
    card: TestCard,
    expiry: { expMonth: number; expYear: number },
    billing: BillingDetails,
  ): Instrument {
    const face = {
      brand: card.brand,
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country: card.country,
      display_brand: card.brand,
      exp_month: expiry.expMonth,
      exp_year: expiry.expYear,
      fingerprint: fingerprintOf(card.number),
      funding: card.funding,
      generated_from: null,
      last4: card.number.slice(-4),
      networks: { available: [card.brand], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    };
    return { kind: 'card', card, method: this.#new('card', billing, { card: face }) };
  }

  #newBank(bank: TestBankAccount, billing: BillingDetails): Instrument {
    const fingerprint = fingerprintOf(bank.identity);
    const details =
      bank.type === 'us_bank_account'
        ? {
            us_bank_account: {
              account_holder_type: 'individual',
              account_type: 'checking',
              bank_name: 'STRIPE TEST BANK',
              financial_connections_account: null,
              fingerprint,
              last4: bank.last4,
              networks: { preferred: 'ach', supported: ['ach'] },
              routing_number: '110000000',
              status_details: {},
            },
          }
        : {
            sepa_debit: {
              bank_code: bank.identity.slice(4, 9),
              branch_code: '',
              country: bank.identity.slice(0, 2),
              fingerprint,
              generated_from: null,
              last4: bank.last4,
            },
          };
    return { kind: 'bank', bank, method: this.#new(bank.type, billing, details) };
  }

  #new(
    type: MethodType,
    billing: BillingDetails,
    details: Pick<PaymentMethod, 'card' | 'us_bank_account' | 'sepa_debit'>,
  ): PaymentMethod {
    const method: PaymentMethod = {
      id: newId('pm'),
      object: 'payment_method',
      allow_redisplay: 'unspecified',
      billing_details: billing,
      created: this.#nowSec(),
      customer: null,
      customer_account: null,
      livemode: false,
      metadata: {},
      type,
      ...details,
    };
    this.#store.insert(method);
    return method;
  }
}

/** A stored method is known by its fingerprint alone: these find again what its test number does. */
const CARDS_BY_FINGERPRINT = new Map(allTestCards().map(card => [fingerprintOf(card.number), card]));
const BANKS_BY_FINGERPRINT = new Map(allTestBanks().map(bank => [fingerprintOf(bank.identity), bank]));

function instrumentOf(method: PaymentMethod): Instrument {
  const details = method.card ?? method.us_bank_account ?? method.sepa_debit;
  const fingerprint = String(details?.['fingerprint']);
  const card = CARDS_BY_FINGERPRINT.get(fingerprint);
  if (card !== undefined) return { kind: 'card', card, method };
  const bank = BANKS_BY_FINGERPRINT.get(fingerprint);
  if (bank !== undefined) return { kind: 'bank', bank, method };
  throw new Error(`PaymentMethod ${method.id} was stored without a known test behaviour.`);
}

function unknownTestData(param: string): ApiError {
  return invalidRequest({ message: `You must use a test account number in test mode: ${param}.`, param });
}

function cardError(code: string, message: string, param: string): ApiError {
  return new ApiError(402, { type: 'card_error', code, message, param }, { executed: true });
}

export function readAddress(params: Params | undefined): Address {
  if (params === undefined) return EMPTY_ADDRESS;
  return {
    city: params.nullableString('city') ?? null,
    country: params.nullableString('country') ?? null,
    line1: params.nullableString('line1') ?? null,
    line2: params.nullableString('line2') ?? null,
    postal_code: params.nullableString('postal_code') ?? null,
    state: params.nullableString('state') ?? null,
  };
}

function readBilling(params: Params | undefined): BillingDetails {
  if (params === undefined) return EMPTY_BILLING;
  return {
    address: readAddress(params.object('address')),
    email: params.nullableString('email') ?? null,
    name: params.nullableString('name') ?? null,
    phone: params.nullableString('phone') ?? null,
    tax_id: params.nullableString('tax_id') ?? null,
  };
}
