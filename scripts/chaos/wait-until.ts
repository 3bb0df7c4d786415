import { quietWait } from '../drill/quiet-wait.ts';

/**
 * Waits until a condition holds; what it throws counts as no. Answers how long it took; throws past the time. `sparing`:
 * for what is counted against who asks. The pauses grow by a third of the time that has passed, so that a minute takes
 * some two dozen looks, and what is answered is too much by a third at most.
 */
export async function waitUntil(
  what: string,
  holds: () => Promise<boolean> | boolean,
  options: { signal: AbortSignal; withinMs?: number; everyMs?: number; sparing?: boolean },
): Promise<number> {
  const { signal, withinMs = 30_000, everyMs = 25, sparing = false } = options;
  const startedAtMs = performance.now();
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (await holds()) return Math.round(performance.now() - startedAtMs);
    } catch (error) {
      last = error;
    }
    const passedMs = performance.now() - startedAtMs;
    if (passedMs > withinMs) {
      throw new Error(`it never came within ${withinMs} ms: ${what}`, { cause: last });
    }
    await quietWait(sparing ? Math.max(everyMs, passedMs / 3) : everyMs, signal);
  }
}
