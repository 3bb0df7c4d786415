/**
 * What the Stripe contract suite talks to: the embedded stand-in, or Stripe's own test mode when STRIPE_CONTRACT_KEY
 * holds a test key. Both through the official package, pointed by host, port and protocol alone.
 */

import { Stripe } from 'stripe';
import { type EmbeddedStripe, startEmbeddedStripe } from './embedded-stripe.ts';

const contractKey = process.env['STRIPE_CONTRACT_KEY'];
export const isRealStripe = contractKey !== undefined && contractKey !== '';

/** For the title of suites that need the stand-in's clock, faults or webhooks sink. */
export const standInOnly = isRealStripe ? ' (skipped: only the stand-in can do this)' : '';

export interface StripeTarget {
  stripe: Stripe;
  /** Only where `isRealStripe` is false; suites that need it are skipped otherwise. */
  embedded: EmbeddedStripe | undefined;
  stop: () => Promise<void>;
}

export async function openStripeTarget(): Promise<StripeTarget> {
  if (contractKey !== undefined && contractKey !== '') {
    if (!contractKey.startsWith('sk_test_'))
      throw new Error('STRIPE_CONTRACT_KEY must be a test key (sk_test_…).');
    return {
      stripe: new Stripe(contractKey, { telemetry: false }),
      embedded: undefined,
      stop: async () => {},
    };
  }
  const embedded = await startEmbeddedStripe();
  const stop = async (): Promise<void> => {
    await embedded.stop();
  };
  return { stripe: clientOf(embedded), embedded, stop };
}

export function clientOf(embedded: EmbeddedStripe, maxNetworkRetries = 0): Stripe {
  const { host, port, secretKey } = embedded;
  return new Stripe(secretKey, { host, port, protocol: 'http', telemetry: false, maxNetworkRetries });
}

/** The error of a call that must fail, so that a test can look at all of it. */
export async function failureOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error('The call succeeded, and should have failed.');
}
