// A drill against an installation that is running: sets up a drop, sends the buyers, waits until the books are at
// rest, and judges them.
import { withRetries, type RetryOptions } from '../../client/index.ts';
import { planArrivals, type ArrivalShape } from './arrivals.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import { judge, type DropReport, type Verdict } from './gates.ts';
import { takeJourney } from './journey.ts';
import type { Percentiles } from './percentiles.ts';
import { planBuyers } from './plan-buyers.ts';
import { startProgress } from './progress.ts';
import { quietWait } from './quiet-wait.ts';
import { setStage, type Stage } from './stage.ts';
import { createTally, type Phase, type Tally } from './tally.ts';

export interface DrillOptions {
  readonly url: string;
  readonly adminKey: string;
  readonly buyersCount: number;
  readonly stockCount: number;
  readonly shape: ArrivalShape;
  readonly skusCount: number;
  readonly abandonShare: number;
  readonly declineShare: number;
  /** Journeys that have not ended by then are broken off. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
  /** Where progress is shown; null: nowhere. */
  readonly out: NodeJS.WriteStream | null;
  /** Called once the drop stands and the buyers are on their way. */
  readonly onDrop?: (dropId: string) => void;
}

/** What `--json` writes. */
export interface DrillResult extends Omit<Verdict, 'gates' | 'ok'> {
  readonly buyers: number;
  readonly stock: number;
  readonly wallMs: number;
  readonly journeysPerSec: number;
  readonly phases: Record<Phase, Percentiles>;
  readonly errors: Readonly<Record<string, number>>;
  readonly gates: Verdict['gates'];
  readonly ok: boolean;
}

export interface Drill {
  readonly result: DrillResult;
  readonly report: DropReport;
  readonly ends: Tally['ends'];
}

/** Calls under way at once, of all buyers together: enough to keep a server busy, few enough to be answered in time. */
const callsAtOnceCount = 128;
const lookEveryMs = 500;

export async function runDrill(options: DrillOptions): Promise<Drill> {
  const { url, adminKey, buyersCount, stockCount, shape, abandonShare, declineShare, signal } = options;
  const tally = createTally();
  const retry: RetryOptions = { signal, withinMs: 120_000, onRetry: failure => tally.retried(failure) };
  const schedule = planArrivals({ shape, buyersCount });
  const plans = planBuyers({ schedule, abandonShare, declineShare });
  const startedAtMs = performance.now();
  const stage = await setStage({
    url,
    adminKey,
    stockCount,
    skusCount: Math.min(options.skusCount, stockCount),
    shape,
    schedule,
    buyersCount,
    withIdlers: abandonShare + declineShare > 0,
    retry,
  });
  options.onDrop?.(stage.dropId);
  try {
    const overdue = AbortSignal.timeout(options.withinMs);
    const journeys = {
      url,
      dropId: stage.dropId,
      skus: stage.skus,
      currency: stage.currency,
      tally,
      fetch: createBoundedFetch(callsAtOnceCount),
      signal: AbortSignal.any([signal, overdue]),
      opensAtMs: startedAtMs + schedule.opensAfterMs,
    };
    const progress = options.out ? startProgress({ tally, buyersCount, stockCount, out: options.out }) : null;
    const sendingAtMs = performance.now();
    await Promise.all(
      plans.map(async plan => {
        await quietWait(plan.arriveAfterMs, journeys.signal);
        tally.end(journeys.signal.aborted ? 'unfinished' : await takeJourney(journeys, plan));
      }),
    );
    const wallMs = Math.round(performance.now() - sendingAtMs);
    progress?.stop();
    signal.throwIfAborted();

    const report = await reportAtRest(stage, { signal, retry });
    const verdict = judge(report, {
      wantedCount: plans.filter(plan => plan.intent === 'buy').length,
      brokenCount: tally.ends.failed + tally.ends.unfinished,
    });
    const { gates, ok, ...counts } = verdict;
    const result = {
      buyers: buyersCount,
      stock: report.stock,
      ...counts,
      wallMs,
      journeysPerSec: Math.round((buyersCount / wallMs) * 10_000) / 10,
      phases: tally.phases(),
      errors: tally.errors,
      gates,
      ok,
    };
    return { result, report, ends: tally.ends };
  } finally {
    if (!signal.aborted) await stage.strike();
  }
}

/** The whole report, once nothing is under way; where that does not come to pass, as it stands then. */
async function reportAtRest(
  stage: Stage,
  { signal, retry }: { signal: AbortSignal; retry: RetryOptions },
): Promise<DropReport> {
  const ask = (payments: boolean): Promise<DropReport> =>
    withRetries(() => stage.admin.admin.drop.report.query({ dropId: stage.dropId, payments }), retry);
  const endMs = performance.now() + stage.restWithinMs;
  while (performance.now() < endMs) {
    if ((await ask(false)).atRest) break;
    await quietWait(lookEveryMs, signal);
    signal.throwIfAborted();
  }
  return ask(true);
}
