// Percentiles of what was measured, exact: over every value, by the nearest rank, so that each is a value that was seen.

export interface Percentiles {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
}

export function percentilesOf(valuesMs: readonly number[]): Percentiles {
  const sorted = Float64Array.from(valuesMs).toSorted();
  const at = (share: number) => {
    const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
    return Math.round(value * 10) / 10;
  };
  return { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99) };
}
