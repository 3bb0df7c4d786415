import { quietWait } from '../drill/quiet-wait.ts';

/** Waits until a condition holds; what it throws counts as no. Answers how long it took; throws past the time. */
export async function waitUntil(
  what: string,
  holds: () => Promise<boolean> | boolean,
  options: { signal: AbortSignal; withinMs?: number; everyMs?: number },
): Promise<number> {
  const { signal, withinMs = 30_000, everyMs = 25 } = options;
  const startedAtMs = performance.now();
  let last: unknown;
  for (;;) {
    signal.throwIfAborted();
    try {
      if (await holds()) return Math.round(performance.now() - startedAtMs);
    } catch (error) {
      last = error;
    }
    if (performance.now() - startedAtMs > withinMs) {
      throw new Error(`it never came within ${withinMs} ms: ${what}`, { cause: last });
    }
    await quietWait(everyMs, signal);
  }
}
