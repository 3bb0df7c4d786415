// Confirms a payment where the buyer's side of it lives: a form-encoded POST with the publishable key, as at Stripe.

export type ConfirmResult =
  /** The bank has agreed; the engine hears of it by itself. */
  | { kind: 'agreed' }
  | { kind: 'declined'; message: string }
  /** The bank wants to see the buyer, on this page of its own. */
  | { kind: 'authenticate'; url: string };

export interface PaymentAccess {
  readonly clientSecret: string;
  readonly payments: { readonly publishableKey: string; readonly apiBase: string };
}

/** Throws where no answer came. Trying again is safe: a payment is confirmed once, whatever is sent twice. */
export async function confirmPayment(access: PaymentAccess, paymentMethod: string): Promise<ConfirmResult> {
  const { clientSecret, payments } = access;
  const [intentId = ''] = clientSecret.split('_secret_');
  const response = await fetch(
    `${payments.apiBase}/v1/payment_intents/${encodeURIComponent(intentId)}/confirm`,
    {
      method: 'POST',
      headers: {
        authorization: `Bearer ${payments.publishableKey}`,
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({
        client_secret: clientSecret,
        payment_method: paymentMethod,
        use_stripe_sdk: 'true',
      }),
    },
  );
  const answer: unknown = await response.json();
  const error = part(answer, 'error');
  if (error !== undefined) {
    // Twice confirmed is once paid.
    if (isAgreed(part(part(error, 'payment_intent'), 'status'))) return { kind: 'agreed' };
    return { kind: 'declined', message: textOf(part(error, 'message')) };
  }
  if (isAgreed(part(answer, 'status'))) return { kind: 'agreed' };
  const url = part(part(part(answer, 'next_action'), 'use_stripe_sdk'), 'stripe_js');
  if (typeof url === 'string') return { kind: 'authenticate', url };
  return { kind: 'declined', message: textOf(part(part(answer, 'last_payment_error'), 'message')) };
}

export function isAgreed(status: unknown): boolean {
  return status === 'requires_capture' || status === 'succeeded' || status === 'processing';
}

function part(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
