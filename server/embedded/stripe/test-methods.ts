/**
 * Stripe's documented test cards, test tokens (`pm_card_…`) and test bank accounts, and what each of them does.
 * A card behaves the same whether it comes as a token or as a number, and has one fingerprint either way.
 */

export interface Decline {
  /** Stripe's error code; `decline_code` says more when the code is `card_declined`. */
  code: 'card_declined' | 'expired_card' | 'incorrect_cvc' | 'processing_error' | 'incorrect_number';
  declineCode: string;
  message: string;
  blocked?: boolean;
}

export interface TestCard {
  number: string;
  brand: string;
  funding: 'credit' | 'debit' | 'prepaid';
  country: string;
  /** `required` asks for 3-D Secure before the charge; a decline then comes after it. */
  authentication: 'none' | 'required';
  decline?: Decline;
  dispute?: { reason: string; status: 'needs_response' | 'warning_needs_response' };
}

function declined(declineCode: string, message = 'Your card was declined.'): Decline {
  return { code: 'card_declined', declineCode, message };
}

function card(number: string, extra: Partial<TestCard> = {}): TestCard {
  return { number, brand: 'visa', funding: 'credit', country: 'US', authentication: 'none', ...extra };
}

const INSUFFICIENT = declined('insufficient_funds', 'Your card has insufficient funds.');
const EXPIRED: Decline = {
  code: 'expired_card',
  declineCode: 'expired_card',
  message: 'Your card has expired.',
};
const WRONG_CVC: Decline = {
  code: 'incorrect_cvc',
  declineCode: 'incorrect_cvc',
  message: "Your card's security code is incorrect.",
};
const PROCESSING: Decline = {
  code: 'processing_error',
  declineCode: 'processing_error',
  message: 'An error occurred while processing your card. Try again in a little bit.',
};

const VISA_DECLINED = card('4000000000000002', { decline: declined('generic_decline') });
const VISA_INSUFFICIENT = card('4000000000009995', { decline: INSUFFICIENT });
const VISA_LOST = card('4000000000009987', { decline: declined('lost_card') });
const VISA_STOLEN = card('4000000000009979', { decline: declined('stolen_card') });
const VISA_EXPIRED = card('4000000000000069', { decline: EXPIRED });
const VISA_WRONG_CVC = card('4000000000000127', { decline: WRONG_CVC });
const VISA_PROCESSING_ERROR = card('4000000000000119', { decline: PROCESSING });
const VISA_VELOCITY = card('4000000000006975', { decline: declined('card_velocity_exceeded') });
const VISA_BLOCKED = card('4100000000000019', { decline: { ...declined('fraudulent'), blocked: true } });
const THREE_D_SECURE_2 = card('4000000000003220', { authentication: 'required' });

const TOKENS: Readonly<Record<string, TestCard>> = {
  pm_card_visa: card('4242424242424242'),
  pm_card_visa_debit: card('4000056655665556', { funding: 'debit' }),
  pm_card_mastercard: card('5555555555554444', { brand: 'mastercard' }),
  pm_card_mastercard_debit: card('5200828282828210', { brand: 'mastercard', funding: 'debit' }),
  pm_card_mastercard_prepaid: card('5105105105105100', { brand: 'mastercard', funding: 'prepaid' }),
  pm_card_amex: card('378282246310005', { brand: 'amex' }),
  pm_card_discover: card('6011111111111117', { brand: 'discover' }),
  pm_card_diners: card('3056930009020004', { brand: 'diners' }),
  pm_card_jcb: card('3566002020360505', { brand: 'jcb', country: 'JP' }),
  pm_card_unionpay: card('6200000000000005', { brand: 'unionpay', country: 'CN' }),

  pm_card_chargeDeclined: VISA_DECLINED,
  pm_card_visa_chargeDeclined: VISA_DECLINED,
  pm_card_chargeDeclinedInsufficientFunds: VISA_INSUFFICIENT,
  pm_card_visa_chargeDeclinedInsufficientFunds: VISA_INSUFFICIENT,
  pm_card_chargeDeclinedLostCard: VISA_LOST,
  pm_card_visa_chargeDeclinedLostCard: VISA_LOST,
  pm_card_chargeDeclinedStolenCard: VISA_STOLEN,
  pm_card_visa_chargeDeclinedStolenCard: VISA_STOLEN,
  pm_card_chargeDeclinedExpiredCard: VISA_EXPIRED,
  pm_card_chargeDeclinedIncorrectCvc: VISA_WRONG_CVC,
  pm_card_chargeDeclinedProcessingError: VISA_PROCESSING_ERROR,
  pm_card_visa_chargeDeclinedVelocityLimitExceeded: VISA_VELOCITY,
  pm_card_chargeDeclinedVelocityLimitExceeded: VISA_VELOCITY,
  pm_card_radarBlock: VISA_BLOCKED,
  pm_card_chargeCustomerFail: card('4000000000000341', { decline: declined('generic_decline') }),

  pm_card_threeDSecure2Required: THREE_D_SECURE_2,
  pm_card_threeDSecureRequired: card('4000000000003063', { authentication: 'required' }),
  pm_card_threeDSecureOptional: card('4000000000003055'),
  pm_card_threeDSecureRequiredChargeDeclined: card('4000008400001629', {
    authentication: 'required',
    decline: declined('generic_decline'),
  }),
  pm_card_authenticationRequired: card('4000002760003184', { authentication: 'required', country: 'DE' }),

  pm_card_createDispute: card('4000000000000259', {
    dispute: { reason: 'fraudulent', status: 'needs_response' },
  }),
  pm_card_createDisputeProductNotReceived: card('4000000000002685', {
    dispute: { reason: 'product_not_received', status: 'needs_response' },
  }),
  pm_card_createDisputeInquiry: card('4000000000001976', {
    dispute: { reason: 'fraudulent', status: 'warning_needs_response' },
  }),
};

const CARDS_BY_TOKEN: ReadonlyMap<string, TestCard> = new Map(Object.entries(TOKENS));
const CARDS_BY_NUMBER: ReadonlyMap<string, TestCard> = new Map(
  Object.values(TOKENS).map(known => [known.number, known]),
);

export function cardOfToken(token: string): TestCard | undefined {
  return CARDS_BY_TOKEN.get(token);
}

export function cardOfNumber(number: string): TestCard | undefined {
  return CARDS_BY_NUMBER.get(number);
}

export function allTestCards(): TestCard[] {
  return [...CARDS_BY_NUMBER.values()];
}

/** The check digit that every card number carries. */
export function passesLuhn(number: string): boolean {
  let sum = 0;
  for (let place = 0; place < number.length; place += 1) {
    const value = Number(number.at(-1 - place)) * (place % 2 === 0 ? 1 : 2);
    sum += value > 9 ? value - 9 : value;
  }
  return /^\d{12,19}$/.test(number) && sum % 10 === 0;
}

/** What a bank debit does: it is `processing` for `delayMs` on the stand-in's clock, then ends. */
export interface TestBankAccount {
  type: 'us_bank_account' | 'sepa_debit';
  identity: string;
  last4: string;
  delayMs: number;
  failure?: { code: string; message: string };
}

/** Days at a real bank; short here so that a local purchase ends while one watches. */
const BANK_DELAY_MS = 60_000;
const SEPA_DELAY_MS = 10_000;
/** Stripe documents its delayed test IBANs as ending "after at least three minutes". */
const SEPA_LONG_DELAY_MS = 180_000;

function usBank(identity: string, failure?: TestBankAccount['failure']): TestBankAccount {
  const bank = {
    type: 'us_bank_account',
    identity,
    last4: identity.slice(-4),
    delayMs: BANK_DELAY_MS,
  } as const;
  return failure === undefined ? bank : { ...bank, failure };
}

const SUCCESS = usBank('000123456789');
const BANK_BY_TOKEN: ReadonlyMap<string, TestBankAccount> = new Map([
  ['pm_usBankAccount', SUCCESS],
  ['pm_usBankAccount_success', SUCCESS],
  [
    'pm_usBankAccount_accountClosed',
    usBank('000111111113', {
      code: 'account_closed',
      message: "The customer's bank account has been closed.",
    }),
  ],
  [
    'pm_usBankAccount_noAccount',
    usBank('000111111116', {
      code: 'no_account',
      message: "The customer's bank account could not be located.",
    }),
  ],
  [
    'pm_usBankAccount_insufficientFunds',
    usBank('000222222227', {
      code: 'insufficient_funds',
      message: "The customer's account has insufficient funds to cover this payment.",
    }),
  ],
  [
    'pm_usBankAccount_debitNotAuthorized',
    usBank('000333333335', {
      code: 'debit_not_authorized',
      message: 'The customer has notified their bank that this payment was unauthorized.',
    }),
  ],
]);

export function bankOfToken(token: string): TestBankAccount | undefined {
  return BANK_BY_TOKEN.get(token);
}

export function bankOfNumber(accountNumber: string): TestBankAccount | undefined {
  return [...BANK_BY_TOKEN.values()].find(bank => bank.identity === accountNumber);
}

const SEPA_ENDINGS: ReadonlyMap<string, { fails: boolean; delayMs: number }> = new Map([
  ['AT611904300234573201', { fails: false, delayMs: SEPA_DELAY_MS }],
  ['DE89370400440532013000', { fails: false, delayMs: SEPA_DELAY_MS }],
  ['AT321904300235473204', { fails: false, delayMs: SEPA_LONG_DELAY_MS }],
  ['DE08370400440532013003', { fails: false, delayMs: SEPA_LONG_DELAY_MS }],
  ['AT861904300235473202', { fails: true, delayMs: SEPA_DELAY_MS }],
  ['DE62370400440532013001', { fails: true, delayMs: SEPA_DELAY_MS }],
  ['AT051904300235473205', { fails: true, delayMs: SEPA_LONG_DELAY_MS }],
  ['DE78370400440532013004', { fails: true, delayMs: SEPA_LONG_DELAY_MS }],
]);

export function bankOfIban(text: string): TestBankAccount | undefined {
  const iban = text.replaceAll(' ', '').toUpperCase();
  const ending = SEPA_ENDINGS.get(iban);
  if (ending === undefined) return undefined;
  const bank = {
    type: 'sepa_debit',
    identity: iban,
    last4: iban.slice(-4),
    delayMs: ending.delayMs,
  } as const;
  if (!ending.fails) return bank;
  return { ...bank, failure: { code: 'generic_decline', message: 'The payment was declined by the bank.' } };
}

export function allTestBanks(): TestBankAccount[] {
  const ibans = [...SEPA_ENDINGS.keys()].flatMap(iban => bankOfIban(iban) ?? []);
  return [...BANK_BY_TOKEN.values(), ...ibans];
}
