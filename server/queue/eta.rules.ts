// How long a place in the queue will take, from how fast its lane was called lately. A range, since the future is not the
// past, and nothing at all where too little has been seen: no number is better than one that was made up.
import type { DropView, LaneCount } from '../drops/drop-view.ts';

/** Less than this was not observed for long enough to say anything. */
const leastSpanMs = 4_000;

/** Between the fastest and the slowest calling that was seen over the lane's last stretches of time. */
export function etaOf(
  view: Pick<DropView, 'state' | 'nowMs' | 'ratePerSec' | 'lanes'>,
  laneName: string,
  rank: number,
): [number, number] | null {
  const lane = view.lanes.find(candidate => candidate.lane === laneName);
  if (!lane || view.state !== 'open' || view.ratePerSec <= 0) return null;
  const rates = observedRates(lane, view.nowMs);
  if (!rates) return null;
  const ahead = Math.max(1, rank - lane.serving + 1);
  // The set rate is the fastest that it can go, whatever was seen before it was set.
  const fastest = Math.min(rates.fastest, view.ratePerSec / 1_000);
  const slowest = Math.min(rates.slowest, fastest);
  return [Math.round(ahead / fastest), Math.round(ahead / slowest)];
}

/** In calls per millisecond. The stretch that is under way counts once it is long: a stall is a part of the truth. */
function observedRates(lane: LaneCount, nowMs: number): { fastest: number; slowest: number } | null {
  const [first] = lane.pace;
  if (!first || nowMs - first.atMs < leastSpanMs) return null;
  const marks = [...lane.pace, { atMs: nowMs, serving: lane.serving }];
  const rates = [(lane.serving - first.serving) / (nowMs - first.atMs)];
  let from = first;
  for (const mark of marks.slice(1)) {
    if (mark.atMs - from.atMs < leastSpanMs) continue;
    rates.push((mark.serving - from.serving) / (mark.atMs - from.atMs));
    from = mark;
  }
  const slowest = Math.min(...rates);
  // Where nobody was called for a whole stretch, no upper end would be honest.
  return slowest > 0 ? { fastest: Math.max(...rates), slowest } : null;
}
