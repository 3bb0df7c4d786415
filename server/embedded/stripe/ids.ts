/** Identifiers in Stripe's manner: a prefix that tells the kind, then random letters and digits. */

import { createHash, randomBytes } from 'node:crypto';

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

function letters(bytes: Uint8Array): string {
  let text = '';
  // 256 is not a multiple of 62: the slight bias costs nothing here, 24 letters hold over 140 bits.
  for (const byte of bytes) text += ALPHABET.charAt(byte % 62);
  return text;
}

export function newId(prefix: string): string {
  return `${prefix}_${letters(randomBytes(24))}`;
}

export function newClientSecret(paymentIntentId: string): string {
  return `${paymentIntentId}_secret_${letters(randomBytes(25))}`;
}

/** The same card number has the same fingerprint for good, as at Stripe within one account. */
export function fingerprintOf(number: string): string {
  return letters(createHash('sha256').update(`doorbuster:${number}`).digest().subarray(0, 16));
}
