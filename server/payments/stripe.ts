// The one place that makes Stripe's client: its version, its patience, and where it is found.
import { Stripe } from 'stripe';
import { limits } from '../limits.ts';

export type StripeClient = ReturnType<typeof Stripe.createNodeHttpClient>;

export function createStripe(options: {
  secretKey: string;
  apiBase: string | null;
  /** Books a turn for each request; without it they go out as they come. */
  httpClient?: StripeClient;
}): Stripe {
  const base = options.apiBase === null ? null : new URL(options.apiBase);
  return new Stripe(options.secretKey, {
    // Pinned: an upgrade of the library must not change what the API answers without somebody looking.
    apiVersion: '2026-10-28.endive',
    timeout: limits.stripeTimeoutMs,
    maxNetworkRetries: limits.stripeRetriesCount,
    telemetry: false,
    ...(options.httpClient ? { httpClient: options.httpClient } : {}),
    ...(base
      ? {
          host: base.hostname,
          port: base.port || (base.protocol === 'http:' ? '80' : '443'),
          protocol: base.protocol === 'http:' ? ('http' as const) : ('https' as const),
        }
      : {}),
  });
}
