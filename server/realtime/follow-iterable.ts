// Reads an async iterable for one subscriber until it ends, fails, or is stopped.

/**
 * Resolves when the iterable has ended or was stopped, and what it held is released; rejects with its error.
 * A stop does not wait for the value under way, and what fails after it goes to `onLate`.
 */
export function followIterable(options: {
  iterable: AsyncIterable<unknown>;
  signal: AbortSignal;
  tell: (value: unknown) => void;
  onLate: (cause: unknown) => void;
}): Promise<void> {
  const { iterable, signal, tell, onLate } = options;
  const iterator = iterable[Symbol.asyncIterator]();
  const release = async () => {
    try {
      await iterator.return?.();
    } catch (cause) {
      onLate(cause);
    }
  };
  return new Promise((resolve, reject) => {
    const onStop = () => void release().then(resolve);
    signal.addEventListener('abort', onStop, { once: true });
    const fail = async (cause: unknown) => {
      signal.removeEventListener('abort', onStop);
      await release();
      reject(cause);
    };
    // One promise at a time and none that outlives its value: a race against a long-lived one would grow with it.
    const pull = async () => {
      try {
        while (true) {
          const next = await iterator.next();
          if (signal.aborted) return;
          if (next.done) {
            signal.removeEventListener('abort', onStop);
            resolve();
            return;
          }
          tell(next.value);
        }
      } catch (cause) {
        if (!signal.aborted) await fail(cause);
        else if (!isAbortError(cause)) onLate(cause);
      }
    };
    void pull();
  });
}

function isAbortError(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AbortError';
}
