// How long a place in the queue will take, told from what was measured.
import { describe, expect, it } from 'vitest';
import { etaOf } from '../../server/queue/eta.rules.ts';

const view = (change: {
  pace?: { atMs: number; serving: number }[];
  serving?: number;
  ratePerSec?: number;
}) => ({
  state: 'open' as const,
  nowMs: 100_000,
  ratePerSec: change.ratePerSec ?? 1_000,
  lanes: [
    {
      lane: 'general' as const,
      lobbySize: 0,
      arrived: 10_000,
      serving: change.serving ?? 0,
      pace: change.pace ?? [],
    },
  ],
});
const marks = (...pairs: [number, number][]) => pairs.map(([atMs, serving]) => ({ atMs, serving }));

describe('the waiting time', () => {
  it('is a range between the slowest and the fastest calling that was seen', () => {
    // Ten a second for ten seconds, then five a second for ten.
    const pace = marks([80_000, 0], [85_000, 50], [90_000, 100], [95_000, 125]);
    expect(etaOf(view({ pace, serving: 150 }), 'general', 249)).toEqual([10_000, 20_000]);
  });

  it('is not told before anything was seen, nor after a stretch in which nobody was called', () => {
    expect(etaOf(view({}), 'general', 10)).toBeNull();
    expect(etaOf(view({ pace: marks([98_000, 0]), serving: 20 }), 'general', 100)).toBeNull();
    expect(etaOf(view({ pace: marks([80_000, 0], [85_000, 50]), serving: 50 }), 'general', 100)).toBeNull();
  });

  it('is not told while the drop stands still, nor for a lane that there is not', () => {
    const pace = marks([80_000, 0], [90_000, 100]);
    expect(etaOf({ ...view({ pace, serving: 200 }), state: 'paused' }, 'general', 300)).toBeNull();
    expect(etaOf(view({ pace, serving: 200, ratePerSec: 0 }), 'general', 300)).toBeNull();
    expect(etaOf(view({ pace, serving: 200 }), 'late', 300)).toBeNull();
  });

  it('is never shorter than the rate that is set allows', () => {
    const pace = marks([80_000, 0], [90_000, 100]);
    expect(etaOf(view({ pace, serving: 200, ratePerSec: 1 }), 'general', 209)).toEqual([10_000, 10_000]);
  });
});
