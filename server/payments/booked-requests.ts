// Stripe's HTTP client with a turn for each request, the library's own repetitions included. A request whose turn is
// too far off is answered here as Stripe itself would (429, not executed), so that there is one way to be told so.
import { Readable } from 'node:stream';
import { setTimeout } from 'node:timers/promises';
import { Stripe } from 'stripe';
import type { Metrics } from '../platform/telemetry.ts';
import type { StripeClient } from './stripe.ts';
import type { StripeBudget } from './stripe-budget.ts';
import { operationOf } from './stripe-rates.rules.ts';

type Answer = Awaited<ReturnType<StripeClient['makeRequest']>>;

/** Tells how long to wait, in milliseconds, where the answer is ours. */
export const retryAfterHeader = 'x-doorbuster-retry-after-ms';

export function createBookedRequests(deps: {
  budget: StripeBudget;
  metrics: Pick<Metrics, 'stripeRequests'>;
}): StripeClient {
  const { budget, metrics } = deps;
  const inner = Stripe.createNodeHttpClient();
  return {
    getClientName: () => inner.getClientName(),
    async makeRequest(...request) {
      const [, , path, method] = request;
      const operation = operationOf(method, path);
      const turn = await budget.book(operation);
      if (turn.kind === 'busy') {
        metrics.stripeRequests.inc({ operation, turn: 'put-off' });
        return tooMany(turn.retryAfterMs);
      }
      metrics.stripeRequests.inc({ operation, turn: turn.waitMs > 0 ? 'waited' : 'at-once' });
      if (turn.waitMs > 0) await setTimeout(turn.waitMs);
      return inner.makeRequest(...request);
    },
  };
}

function tooMany(retryAfterMs: number): Answer {
  return {
    getStatusCode: () => 429,
    // Without this the library would ask again by itself, within milliseconds.
    getHeaders: () => ({ 'stripe-should-retry': 'false', [retryAfterHeader]: String(retryAfterMs) }),
    getRawResponse: () => ({}),
    toStream: () => Readable.from([]),
    toJSON: () =>
      Promise.resolve({
        error: {
          type: 'invalid_request_error',
          code: 'rate_limit',
          message: 'The turns of this second are taken.',
        },
      }),
  };
}
