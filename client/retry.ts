// Tries a call again while that may help: after a connection that broke, a 429 or a 503, never sooner than the
// server asks. Safe for every call of the engine, since those that change something are idempotent by their ids.
import { fullJitterMs, pause } from './backoff.ts';
import { failureOf, type Failure } from './failure.ts';

export interface RetryOptions {
  /** Tries end this long after the first one began. */
  readonly withinMs?: number;
  readonly signal?: AbortSignal;
  /** Told about each failure that is tried again. */
  readonly onRetry?: (failure: Failure, error: unknown) => void;
}

const firstMs = 200;
const maxMs = 5_000;
const withinMsDefault = 60_000;

export async function withRetries<T>(call: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
  const { withinMs = withinMsDefault, signal, onRetry } = options;
  const endMs = performance.now() + withinMs;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const failure = failureOf(error);
      if (failure.retry !== 'later' || signal?.aborted) throw error;
      const pauseMs = (failure.retryAfterMs ?? 0) + fullJitterMs(attempt, { firstMs, maxMs });
      if (performance.now() + pauseMs >= endMs) throw error;
      onRetry?.(failure, error);
      await pause(pauseMs, signal);
    }
  }
}
