// How soon after its deadline a hold is returned: Redis' clock decides that it has run out, the conductor when somebody
// looks. Time is the test's own here.
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startConductor, type ConductorSteps } from '../../server/drops/conductor.ts';
import { limits } from '../../server/limits.ts';
import { dropOf } from '../support/engine.ts';

/** Invariant 5: back within this of its deadline. */
const returnWithinMs = 2_000;

describe('the sweep of holds that have run out', () => {
  beforeEach(() => {
    vi.useFakeTimers({
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  /** The longest that a hold, whenever it runs out, has to wait for a sweep in a minute of a running drop. */
  async function longestWaitMs(change: { roundMs?: number; failsUntilMs?: number } = {}): Promise<number> {
    const { roundMs = 0, failsUntilMs = 0 } = change;
    const drop = { ...dropOf(), loadedRev: 1 };
    const sweptAtMs: number[] = [];
    const pause = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));
    const startedAtMs = performance.now();
    const steps: ConductorSteps = {
      lobbyKey: () => Promise.resolve(null),
      sweep: async () => {
        if (performance.now() - startedAtMs < failsUntilMs) throw new Error('Redis is busy');
        sweptAtMs.push(performance.now());
        if (roundMs > 0) await pause(roundMs);
        return { more: false };
      },
      admit: () => Promise.resolve(0),
      rebuild: () => Promise.resolve(),
      keepMarks: () => Promise.resolve(),
      reconcile: () => Promise.resolve(),
      stateChanged: () => Promise.resolve(),
    };
    const conductor = startConductor({
      drops: {
        listRunning: () => Promise.resolve([drop]),
        load: () => Promise.resolve(),
        markEnded: () => Promise.resolve(),
      },
      live: {
        open: () => Promise.resolve({ state: 'open', lobbySize: 0, frozen: true }),
        look: () => Promise.resolve(null),
      },
      steps,
      log: pino({ level: 'silent' }),
    });
    await vi.advanceTimersByTimeAsync(60_000);
    const stopped = conductor.stop();
    await vi.advanceTimersByTimeAsync(roundMs);
    await stopped;
    const gaps = sweptAtMs.map((atMs, index) => atMs - (sweptAtMs[index - 1] ?? startedAtMs));
    return Math.max(...gaps, startedAtMs + 60_000 - (sweptAtMs.at(-1) ?? startedAtMs));
  }

  it('comes within two seconds of any deadline, also where each round takes a second', async () => {
    expect(await longestWaitMs()).toBeLessThanOrEqual(limits.conductorTickMs);
    expect(await longestWaitMs({ roundMs: 1_000 })).toBeLessThanOrEqual(returnWithinMs);
  });

  it('would be seen to come later where rounds are too slow, or fail: the control', async () => {
    expect(await longestWaitMs({ roundMs: 2_500 })).toBeGreaterThan(returnWithinMs);
    expect(await longestWaitMs({ failsUntilMs: 5_000 })).toBeGreaterThan(returnWithinMs);
  });
});
