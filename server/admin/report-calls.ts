// Reads a call log as a stranger would who trusts nobody: the chain of hashes is computed again, and who was called
// is followed entry by entry. Written apart from the code that writes the log, on purpose.
import { createHash } from 'node:crypto';
import type { LoggedCall } from './report-output.ts';

export interface CallsReading {
  readonly entriesCount: number;
  /** Different ranks that were called. */
  readonly calledCount: number;
  /** Ranks that were called after a higher one of their lane, or twice. */
  readonly inversions: number;
  /** Ranks that were passed over and never called. */
  readonly skippedCount: number;
  /** Entries that do not follow from the one before: a number left out, a hash that is not theirs, time going back. */
  readonly brokenLinks: number;
  readonly calledByLane: ReadonlyMap<string, number>;
}

export async function readCalls(
  drop: { dropId: string; seedHash: string },
  entries: AsyncIterable<LoggedCall> | Iterable<LoggedCall>,
): Promise<CallsReading> {
  let before = sha256([drop.dropId, drop.seedHash]);
  let beforeAtMs = 0;
  let entriesCount = 0;
  let inversions = 0;
  let brokenLinks = 0;
  const lanes = new Map<string, { high: number; called: number }>();

  for await (const { seq, atMs, lane: name, from, to, hash } of entries) {
    const follows = seq === entriesCount && hash === sha256([before, seq, atMs, name, from, to]);
    if (!follows || atMs < beforeAtMs || to <= from || from < 0) brokenLinks += 1;
    entriesCount += 1;
    before = hash;
    beforeAtMs = atMs;
    const lane = lanes.get(name) ?? { high: 0, called: 0 };
    const late = Math.max(0, Math.min(to, lane.high) - from);
    inversions += late;
    lane.called += Math.max(0, to - Math.max(from, lane.high));
    lane.high = Math.max(lane.high, to);
    lanes.set(name, lane);
  }

  const all = [...lanes.values()];
  const calledCount = all.reduce((sum, lane) => sum + lane.called, 0);
  const highSum = all.reduce((sum, lane) => sum + lane.high, 0);
  return {
    entriesCount,
    calledCount,
    inversions,
    // A rank that was passed over and called later is an inversion; one that was only passed over is skipped.
    skippedCount: highSum - calledCount,
    brokenLinks,
    calledByLane: new Map([...lanes].map(([name, lane]) => [name, lane.high])),
  };
}

function sha256(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}
