// How long to wait before trying again. Full jitter: a random time between nothing and a bound that doubles with
// each attempt, so that a crowd which lost its server at one instant does not come back at one instant.
// Source: "Exponential Backoff And Jitter", AWS Architecture Blog (2015).

export interface BackoffOptions {
  /** The bound of the first pause. */
  readonly firstMs: number;
  readonly maxMs: number;
  /** A number in [0, 1); tests give their own. */
  readonly random?: () => number;
}

/** The pause before the attempt after `attempt` failed ones, counted from 0. */
export function fullJitterMs(attempt: number, options: BackoffOptions): number {
  const { firstMs, maxMs, random = Math.random } = options;
  return random() * Math.min(maxMs, firstMs * 2 ** Math.min(attempt, 30));
}

/** Resolves after the pause, or rejects with the signal's reason as soon as that is aborted. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(reasonOf(signal));
      return;
    }
    const onAbort = () => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

function reasonOf(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason;
  return reason instanceof Error ? reason : new Error('aborted');
}
