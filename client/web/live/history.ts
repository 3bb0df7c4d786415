// What a drop did in the last minutes, as this page saw it: enough points for a small chart, and no more.

export interface HistoryPoint {
  readonly atMs: number;
  readonly arrived: number;
  readonly called: number;
  readonly left: number;
}

export const historySpanMs = 10 * 60_000;
const closestMs = 1_000;

/** The history with one more point. Points closer than a second replace each other; old ones are let go. */
export function withPoint(history: readonly HistoryPoint[], point: HistoryPoint): readonly HistoryPoint[] {
  const last = history.at(-1);
  const kept = history.filter(old => old.atMs > point.atMs - historySpanMs);
  if (!last) return [point];
  const beforeLast = kept.at(-2);
  // The last point is replaced only if the one before it is that close, so that the line's corners stay.
  if (beforeLast && point.atMs - beforeLast.atMs < closestMs) return [...kept.slice(0, -1), point];
  return [...kept, point];
}
