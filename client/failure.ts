// What a failed call means for its caller. Expected outcomes are values with a `kind` and never come here; a failure
// is the unexpected, the unauthorised, the malformed, or a connection that did not hold.
import { TRPCClientError } from '@trpc/client';

export interface Failure {
  /** `network`: no answer came, and whether the call took effect is unknown. Otherwise tRPC's code, as `CONFLICT`. */
  readonly code: string;
  /** Whether the same call may succeed later. All calls that change something are idempotent by their ids. */
  readonly retry: 'never' | 'later' | 'with-new-token';
  /** How long the server asks to wait at least, where it does. */
  readonly retryAfterMs?: number;
}

const retryable: ReadonlySet<string> = new Set([
  'TOO_MANY_REQUESTS',
  'SERVICE_UNAVAILABLE',
  'INTERNAL_SERVER_ERROR',
  'BAD_GATEWAY',
  'GATEWAY_TIMEOUT',
  'TIMEOUT',
  'CLIENT_CLOSED_REQUEST',
]);

export function failureOf(error: unknown): Failure {
  if (!(error instanceof TRPCClientError)) return { code: 'unknown', retry: 'never' };
  const data: unknown = error.data;
  const code = field(data, 'code');
  if (typeof code !== 'string') {
    // What is not tRPC's answer came from something in between (a proxy's 502), or nothing came at all.
    const status = statusOf(error);
    if (status !== null && status < 500 && status !== 429 && status !== 408) {
      return { code: `HTTP_${status}`, retry: 'never' };
    }
    return { code: 'network', retry: 'later' };
  }
  if (code === 'UNAUTHORIZED') return { code, retry: 'with-new-token' };
  const retryAfterMs = field(data, 'retryAfterMs');
  return {
    code,
    retry: retryable.has(code) ? 'later' : 'never',
    ...(typeof retryAfterMs === 'number' ? { retryAfterMs } : {}),
  };
}

/** The HTTP status of an answer that was not tRPC's, or null where there was none. */
function statusOf(error: { meta?: Record<string, unknown> | undefined }): number | null {
  const status = field(error.meta?.['response'], 'status');
  return typeof status === 'number' ? status : null;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
