// One run of the checks in a worker: reads in small portions, so that the worker's other work has its turn, says how far
// it is, and stops where it was overtaken by another run or takes too long.
import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import { limits } from '../limits.ts';
import { runAudit, type AuditSources } from './audit.ts';
import type { FindingsStore } from './findings.store.ts';
import { paceSources } from './pace-sources.ts';

class Overtaken extends Error {}

export type CheckBooks = (runId: string) => Promise<void>;

export function createCheckBooks(deps: {
  store: FindingsStore;
  sources: AuditSources;
  clock: { now(): number };
  log: Logger;
  /** How often to look again at what seems wrong before it is a finding. */
  looksMax?: number;
}): CheckBooks {
  const { store, sources, clock, log, looksMax = 6 } = deps;
  return async runId => {
    const startedAtMs = clock.now();
    let toldAtMs = 0;
    let look = 1;
    let documentsRead = 0;
    let suspicionsCount = 0;
    const tell = async () => {
      toldAtMs = clock.now();
      const aliveUntilMs = toldAtMs + limits.findingsAliveMs;
      const change = {
        state: 'running',
        startedAtMs,
        aliveUntilMs,
        look,
        documentsRead,
        suspicionsCount,
      } as const;
      if (!(await store.change(runId, change))) throw new Overtaken();
      if (toldAtMs - startedAtMs > limits.findingsRunMs)
        throw new Error(`it took more than ${limits.findingsRunMs / 60_000} minutes: use npm run audit`);
    };
    const paced = paceSources(sources, limits.findingsPaceCount, async read => {
      documentsRead += read;
      await turn();
      if (clock.now() - toldAtMs >= limits.findingsTellMs) await tell();
    });
    try {
      await tell();
      const report = await runAudit(paced, {
        looksMax,
        onLook(ended, suspicions) {
          look = ended + 1;
          suspicionsCount = suspicions;
        },
      });
      await store.change(runId, {
        state: 'done',
        endedAtMs: clock.now(),
        look: report.looksCount,
        documentsRead,
        suspicionsCount: 0,
        checked: report.checked,
        findings: report.findings.slice(0, limits.findingsKeptCount),
        findingsCount: report.findings.length,
      });
      if (report.findings.length > 0)
        log.error(
          { findings: report.findings.slice(0, 10), count: report.findings.length },
          'the books are wrong',
        );
    } catch (error) {
      if (error instanceof Overtaken) return;
      log.error({ err: error }, 'the books could not be checked');
      const failure = error instanceof Error ? error.message.slice(0, 300) : 'it could not look';
      await store.change(runId, { state: 'failed', endedAtMs: clock.now(), failure });
    }
  };
}
