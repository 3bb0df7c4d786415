// A tRPC subscription as an async iterable, made anew where the server ended it in a way that time heals. (A socket
// that was lost is tRPC's own business: it reconnects and resumes by the last event's id.)
import { fullJitterMs, pause } from './backoff.ts';
import { failureOf } from './failure.ts';

export interface SubscriptionHandlers<T> {
  onData(event: T): void;
  onError(error: unknown): void;
  onComplete(): void;
}
export type Subscribe<T> = (handlers: SubscriptionHandlers<T>) => { unsubscribe(): void };

export interface FollowOptions {
  readonly signal?: AbortSignal | undefined;
  /** Where each event is the whole truth, a slow reader skips to the newest. */
  readonly keep: 'all' | 'newest';
}

/** The events of one subscription. Ends with the signal or when the server completes it; throws what it throws. */
export async function* follow<T>(
  subscribe: Subscribe<T>,
  options: FollowOptions,
): AsyncGenerator<T, void, void> {
  const { signal, keep } = options;
  const isAborted = () => signal?.aborted === true;
  if (isAborted()) return;
  const seen: { events: T[]; end: { error: unknown } | 'complete' | null } = { events: [], end: null };
  let wake = () => {};
  const subscription = subscribe({
    onData(event) {
      if (keep === 'newest') seen.events.length = 0;
      seen.events.push(event);
      wake();
    },
    onError(error) {
      seen.end ??= { error };
      wake();
    },
    onComplete() {
      seen.end ??= 'complete';
      wake();
    },
  });
  const onAbort = () => wake();
  signal?.addEventListener('abort', onAbort);
  try {
    while (!isAborted()) {
      const event = seen.events.shift();
      if (event !== undefined) yield event;
      else if (seen.end === 'complete') return;
      else if (seen.end !== null) throw seen.end.error;
      else {
        await new Promise<void>(resolve => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    subscription.unsubscribe();
  }
}

const retryMs = { firstMs: 300, maxMs: 5_000 };

/** As `follow`, for good: subscribes again, with growing pauses, after an end or an error that may pass. */
export async function* followForGood<T>(
  subscribe: Subscribe<T>,
  options: FollowOptions & { onUnauthorized: () => void },
): AsyncGenerator<T, void, void> {
  const { signal, onUnauthorized } = options;
  const isAborted = () => signal?.aborted === true;
  let attempt = 0;
  while (!isAborted()) {
    let leastMs = 0;
    try {
      for await (const event of follow(subscribe, options)) {
        attempt = 0;
        yield event;
      }
    } catch (error) {
      const failure = failureOf(error);
      // A token is replaced once; refused again at once, it is not the token that is wrong.
      if (failure.retry === 'never' || (failure.retry === 'with-new-token' && attempt > 3)) throw error;
      if (failure.retry === 'with-new-token') onUnauthorized();
      leastMs = failure.retryAfterMs ?? 0;
    }
    if (isAborted()) return;
    await pause(leastMs + fullJitterMs(attempt, retryMs), signal).catch(() => undefined);
    attempt += 1;
  }
}
