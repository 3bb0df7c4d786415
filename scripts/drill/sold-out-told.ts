// How long it took until those who waited were told that all is sold: from the instant that the server's books say, on
// its clock, until each of them heard it, on their estimate of that clock.

export interface Told {
  readonly count: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** Null where the sale did not end so, or nobody waited. */
export function reckonTold(soldOutAtMs: number | null, heardAtMs: readonly number[]): Told | null {
  if (soldOutAtMs === null || heardAtMs.length === 0) return null;
  const sorted = Float64Array.from(heardAtMs, atMs => atMs - soldOutAtMs).toSorted();
  const at = (share: number) =>
    Math.round(sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN);
  return { count: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}
