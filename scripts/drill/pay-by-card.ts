// Confirms a payment as the buyer's browser would, with one of Stripe's test methods: against the stand-in, or against
// Stripe itself with test keys. Only the drill and the crowd do this; a real buyer's card goes through Stripe's script.
import { z } from 'zod';

export interface Payable {
  readonly clientSecret: string;
  readonly payments: { readonly publishableKey: string; readonly apiBase: string };
}

/** `unknown`: no certain answer; asking again is safe, since a payment is confirmed once. */
export type CardOutcome =
  | { kind: 'confirmed' }
  | { kind: 'declined' }
  /** The bank asks: `passChallenge` answers. */
  | { kind: 'challenged'; address: string }
  | { kind: 'unknown'; why: string };

const intentSchema = z.object({
  status: z.string(),
  next_action: z.object({ use_stripe_sdk: z.object({ stripe_js: z.string() }).optional() }).nullish(),
});
const errorSchema = z.object({
  error: z.object({
    type: z.string(),
    code: z.string().optional(),
    payment_intent: intentSchema.optional(),
  }),
});
const settledStatuses: ReadonlySet<string> = new Set(['requires_capture', 'succeeded', 'processing']);

export async function payByCard(
  payable: Payable,
  options: { card: string; fetch: typeof fetch; signal: AbortSignal },
): Promise<CardOutcome> {
  const { clientSecret, payments } = payable;
  const [paymentId = ''] = clientSecret.split('_secret_');
  let status: number;
  let body: unknown;
  try {
    const response = await options.fetch(`${payments.apiBase}/v1/payment_intents/${paymentId}/confirm`, {
      method: 'POST',
      headers: { authorization: `Bearer ${payments.publishableKey}` },
      body: new URLSearchParams({ client_secret: clientSecret, payment_method: options.card }),
      signal: options.signal,
    });
    ({ status } = response);
    body = await response.json();
  } catch {
    return { kind: 'unknown', why: 'network' };
  }
  if (status === 200) {
    const intent = intentSchema.parse(body);
    if (settledStatuses.has(intent.status)) return { kind: 'confirmed' };
    const address = intent.next_action?.use_stripe_sdk?.stripe_js;
    if (intent.status === 'requires_action' && address) return { kind: 'challenged', address };
    return { kind: 'unknown', why: intent.status };
  }
  const { error } = errorSchema.parse(body);
  // Confirmed by an earlier try whose answer was lost.
  if (error.payment_intent && settledStatuses.has(error.payment_intent.status)) return { kind: 'confirmed' };
  if (status === 402) return { kind: 'declined' };
  return { kind: 'unknown', why: error.code ?? error.type };
}

/** Ends 3-D Secure as a buyer does who is who they say. At the stand-in alone: a real bank lets no program through. */
export async function passChallenge(
  address: string,
  options: { fetch: typeof fetch; signal: AbortSignal },
): Promise<CardOutcome> {
  try {
    const response = await options.fetch(address, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({ outcome: 'succeed' }),
      signal: options.signal,
    });
    const { status } = intentSchema.parse(await response.json());
    return settledStatuses.has(status) ? { kind: 'confirmed' } : { kind: 'unknown', why: status };
  } catch {
    return { kind: 'unknown', why: 'network' };
  }
}
