// The check of the books on demand: asked for by an operator, done by a worker, one at a time in the whole installation.
// What always holds: a run that nobody does any more gives way to the next after `findingsAliveMs`, and a run that has
// given way writes nothing.
import { randomUUID } from 'node:crypto';
import { limits } from '../limits.ts';
import type { FindingsRun, FindingsStore } from './findings.store.ts';

export type { FindingsRun } from './findings.store.ts';

export interface Findings {
  start(askedBy: string): Promise<{ kind: 'started' | 'running' }>;
  /** Null where none was ever asked for. `lost`: its worker died, or no worker took it up. */
  latest(): Promise<(FindingsRun & { isLost: boolean }) | null>;
}

export function createFindings(deps: {
  store: FindingsStore;
  clock: { now(): number };
  /** Asks for the job of a run. */
  ask: (runId: string) => Promise<void>;
}): Findings {
  const { store, clock, ask } = deps;
  return {
    async start(askedBy) {
      const nowMs = clock.now();
      const runId = randomUUID();
      const begun = await store.begin({
        runId,
        state: 'waiting',
        askedBy,
        askedAtMs: nowMs,
        startedAtMs: null,
        endedAtMs: null,
        aliveUntilMs: nowMs + limits.findingsAliveMs,
        look: 0,
        documentsRead: 0,
        suspicionsCount: 0,
        checked: null,
        findings: [],
        findingsCount: 0,
        failure: null,
      });
      if (!begun) return { kind: 'running' };
      await ask(runId);
      return { kind: 'started' };
    },
    async latest() {
      const run = await store.read();
      if (!run) return null;
      const isUnderWay = run.state === 'waiting' || run.state === 'running';
      return { ...run, isLost: isUnderWay && run.aliveUntilMs < clock.now() };
    },
  };
}
