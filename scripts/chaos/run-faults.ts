// Runs faults one after the other, each followed by the audit at rest. Faults that need nothing of their own share an
// installation, as they would in a long life; one that failed leaves it to nobody.
import { Chance } from '../../server/embedded/stripe/chance.ts';
import { check, Skipped, type Check, type Fault, type Figures } from './fault.ts';
import { openWorld, type World } from './world.ts';

export interface FaultResult {
  readonly number: number;
  readonly title: string;
  readonly outcome: 'held' | 'failed' | 'skipped';
  readonly tookMs: number;
  readonly figures: Figures;
  readonly checks: readonly Check[];
  /** Why it was skipped, or what it threw. */
  readonly why: string | null;
}

export async function runFaults(
  faults: readonly Fault[],
  options: {
    seed: number;
    signal: AbortSignal;
    say: (text: string) => void;
    onResult?: (result: FaultResult) => void;
    /** Laid over the environment of every installation. */
    env?: Readonly<Record<string, string>>;
  },
): Promise<FaultResult[]> {
  const { seed, signal, say, onResult, env = {} } = options;
  let shared: World | null = null;
  const results: FaultResult[] = [];
  try {
    for (const fault of faults) {
      signal.throwIfAborted();
      say(`fault ${fault.number}: ${fault.title} …`);
      const startedAtMs = performance.now();
      let world: World | null = null;
      let result: Pick<FaultResult, 'outcome' | 'figures' | 'checks' | 'why'>;
      try {
        const needs = { ...fault.needs, env: { ...env, ...fault.needs?.env } };
        if (fault.needs === null) shared ??= await openWorld(needs, { signal, say });
        world = fault.needs === null ? shared : await openWorld(needs, { signal, say });
        if (!world) throw new Error('there is no installation');
        // The same seed gives a fault the same lots, whichever others run.
        result = await runOne(fault, world, new Chance(seed * 31 + fault.number));
        if (result.outcome === 'failed') say(`its logs: ${world.keepLogs()}`);
      } catch (error) {
        signal.throwIfAborted();
        const skipped = error instanceof Skipped;
        if (!skipped && world) say(`its logs: ${world.keepLogs()}`);
        result = { outcome: skipped ? 'skipped' : 'failed', figures: {}, checks: [], why: describe(error) };
      } finally {
        if (world && world !== shared) await world.close();
      }
      if (result.outcome === 'failed' && world && world === shared) {
        await world.close();
        shared = null;
      }
      const { number, title } = fault;
      const tookMs = Math.round(performance.now() - startedAtMs);
      const whole = { number, title, ...result, tookMs };
      results.push(whole);
      onResult?.(whole);
    }
  } finally {
    await shared?.close();
  }
  return results;
}

async function runOne(fault: Fault, world: World, chance: Chance) {
  const { figures, checks } = await fault.run(world, chance);
  // What has failed already is not looked at until it may have settled: the findings are then told for whoever mends it.
  const { findings } = await world.audit(checks.every(({ ok }) => ok) ? undefined : { looksMax: 1 });
  const found = findings.map(({ invariant, document, what }) => `${invariant}: ${document} ${what}`);
  const all = [...checks, check.is('findings of the audit', found.join('; '), '')];
  const outcome = all.every(({ ok }) => ok) ? 'held' : 'failed';
  return { outcome, figures: { ...figures, auditFindings: found.length }, checks: all, why: null } as const;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return error instanceof Skipped ? error.message : `${error.message}${cause}`;
}
