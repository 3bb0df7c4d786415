// How the calls of this process went lately, from its metrics: looked at again and again, the difference between the
// newest look and one about a minute older.
import type { Metrics } from '../platform/telemetry.ts';

export interface CallFigures {
  readonly callsPerSec: number;
  /** Calls that failed for our own reasons: internal errors and services that were away. */
  readonly errorsPerMin: number;
  /** Upper bounds, by the histogram's buckets; null where nothing was called, or it took longer than the last bucket. */
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
}

interface Look {
  readonly atMs: number;
  readonly errors: number;
  readonly calls: number;
  /** Calls that took at most so many seconds. */
  readonly byBound: ReadonlyMap<number, number>;
}

const windowMs = 60_000;
const ourFaults: ReadonlySet<unknown> = new Set(['INTERNAL_SERVER_ERROR', 'SERVICE_UNAVAILABLE']);

export function createCallFigures(
  metrics: Pick<Metrics, 'calls' | 'callSeconds'>,
  clock: { now(): number },
): () => Promise<CallFigures> {
  const looks: Look[] = [];

  const look = async (): Promise<Look> => {
    const [calls, seconds] = await Promise.all([metrics.calls.get(), metrics.callSeconds.get()]);
    const byBound = new Map<number, number>();
    let count = 0;
    for (const { metricName, labels, value } of seconds.values) {
      if (metricName?.endsWith('_count')) count += value;
      // The library's own label, which its types do not know.
      const bound = Number(Reflect.get(labels, 'le'));
      if (metricName?.endsWith('_bucket') && Number.isFinite(bound))
        byBound.set(bound, (byBound.get(bound) ?? 0) + value);
    }
    const errors = calls.values
      .filter(({ labels }) => ourFaults.has(labels.outcome))
      .reduce((sum, { value }) => sum + value, 0);
    return { atMs: clock.now(), errors, calls: count, byBound };
  };

  return async () => {
    const now = await look();
    looks.push(now);
    while (looks.length > 2 && (looks[1]?.atMs ?? 0) < now.atMs - windowMs) looks.shift();
    const first = looks[0] ?? now;
    const spanMs = Math.max(1, now.atMs - first.atMs);
    const calls = now.calls - first.calls;
    const percentile = (share: number): number | null => {
      for (const [bound, count] of [...now.byBound].toSorted(([a], [b]) => a - b)) {
        const within = count - (first.byBound.get(bound) ?? 0);
        if (calls > 0 && within >= share * calls) return bound * 1_000;
      }
      return null;
    };
    return {
      callsPerSec: Math.round((calls * 1_000) / spanMs),
      errorsPerMin: Math.round(((now.errors - first.errors) * windowMs) / Math.max(spanMs, windowMs)),
      p50Ms: percentile(0.5),
      p95Ms: percentile(0.95),
    };
  };
}
