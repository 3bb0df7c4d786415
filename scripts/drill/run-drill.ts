// A drill against an installation that is running: sets up a drop, sends the buyers, waits until the books are at
// rest, and judges them.
import { withRetries, type RetryOptions } from '../../client/index.ts';
import { planArrivals, type ArrivalShape } from './arrivals.ts';
import { createBoundedFetch } from './bounded-fetch.ts';
import { createFallingPrices, type FallingCounts } from './falling-prices.ts';
import { breakWebhooks, type StandIn, type WebhookTroubles } from './faulty-webhooks.ts';
import { judge, type DropReport, type Verdict } from './gates.ts';
import { takeJourney } from './journey.ts';
import type { Percentiles } from './percentiles.ts';
import type { PlaceCounts } from './places.ts';
import { planBuyers } from './plan-buyers.ts';
import { startProgress } from './progress.ts';
import { quietWait } from './quiet-wait.ts';
import { watchMemory, type ServerMemory } from './server-memory.ts';
import { setStage, type Pace, type Stage } from './stage.ts';
import { reckonTold, type Told } from './sold-out-told.ts';
import { createTally, type Phase, type Tally } from './tally.ts';

export interface DrillOptions {
  readonly url: string;
  readonly adminKey: string;
  readonly buyersCount: number;
  readonly stockCount: number;
  readonly shape: ArrivalShape;
  readonly skusCount: number;
  /** How often the price falls; without it, it stays. */
  readonly fallsEveryMs?: number | null;
  readonly abandonShare: number;
  readonly declineShare: number;
  readonly challengeShare: number;
  /** Journeys that have not ended by then are broken off. */
  readonly withinMs: number;
  readonly signal: AbortSignal;
  /** Where progress is shown; null: nowhere. */
  readonly out: NodeJS.WriteStream | null;
  /** Everyone who waits must have been told within this that all is sold. */
  readonly toldWithinMs: number;
  /** Kills a server, and resolves when it runs again: done once, when a quarter of the stock is paid for. */
  readonly killServer?: () => Promise<void>;
  /** Its webhooks are faulty while the drill runs. */
  readonly breakWebhooksAt?: StandIn;
  /** Called once the drop stands and the buyers are on their way. */
  readonly onDrop?: (dropId: string, tally: Tally) => void;
  /** Units that are lost to somebody come back soon: what a drill with buyers who walk off has anyway. */
  readonly shortWindows?: boolean;
  readonly pace?: Pace;
  /** Called as a socket of any buyer opens. */
  readonly onSocketOpen?: () => void;
  /** From then on those who wait ask again where they stand, and must be told the same place. */
  readonly askAgain?: Promise<void>;
}

/** What `--json` writes. */
export interface DrillResult extends Omit<Verdict, 'gates' | 'ok'> {
  readonly buyers: number;
  readonly stock: number;
  readonly wallMs: number;
  readonly journeysPerSec: number;
  readonly phases: Record<Phase, Percentiles>;
  readonly errors: Readonly<Record<string, number>>;
  /** From the end of the sale, on the server's clock, until each who waited was told; null where it did not end so. */
  readonly soldOutToldMs: Told | null;
  readonly places: PlaceCounts;
  /** One for each process that answered behind the address. */
  readonly servers: readonly ServerMemory[];
  /** How often a server was killed in the middle. */
  readonly serversKilled: number;
  /** What was planned to go wrong, as the buyers met it. */
  readonly troubles: Tally['troubles'];
  /** What buyers paid for a unit whose price falls; null where it stays. */
  readonly falling: FallingCounts | null;
  /** Null where the webhooks were left alone. */
  readonly webhooks: WebhookTroubles | null;
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
  const { url, adminKey, buyersCount, stockCount, shape, signal } = options;
  const tally = createTally();
  const retry: RetryOptions = { signal, withinMs: 120_000, onRetry: failure => tally.retried(failure) };
  const schedule = planArrivals({ shape, buyersCount });
  const plans = planBuyers({ ...options, schedule });
  const startedAtMs = performance.now();
  const stage = await setStage({
    url,
    adminKey,
    stockCount,
    skusCount: Math.min(options.skusCount, stockCount),
    shape,
    schedule,
    buyersCount,
    withIdlers:
      options.shortWindows === true || options.abandonShare > 0 || options.breakWebhooksAt !== undefined,
    pace: options.pace,
    fallsEveryMs: options.fallsEveryMs,
    retry,
  });
  options.onDrop?.(stage.dropId, tally);
  const memory = await watchMemory(url);
  const broken = options.breakWebhooksAt ? await breakWebhooks(options.breakWebhooksAt) : null;
  const killing = new AbortController();
  try {
    await stage.clock.sync();
    const kill =
      options.killServer &&
      killInTheMiddle(options.killServer, { tally, stockCount, signal: killing.signal });
    const prices = stage.schedules && createFallingPrices(stage.schedules);
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
      serverNow: () => stage.clock.now(),
      ...(prices ? { prices } : {}),
      ...(options.onSocketOpen ? { onSocketOpen: options.onSocketOpen } : {}),
      ...(kill ? { serverKilled: kill.killed } : options.askAgain ? { serverKilled: options.askAgain } : {}),
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
    killing.abort();
    const serversKilled = (await kill?.done) ?? 0;
    const servers = await memory.stop();
    await stage.clock.sync();

    const report = await reportAtRest(stage, { signal, retry });
    const webhooks = (await broken?.mend()) ?? null;
    const soldOutToldMs = reckonTold(report.soldOutAtMs, tally.soldOutHeardAtMs);
    const falling = prices?.counts() ?? null;
    const verdict = judge(report, {
      wantedCount: plans.filter(plan => plan.intent !== 'abandon').length,
      brokenCount: tally.ends.failed + tally.ends.unfinished,
      places: tally.places.counts(),
      told: soldOutToldMs && { maxMs: soldOutToldMs.maxMs, withinMs: options.toldWithinMs },
      serversKilled: options.killServer ? { count: serversKilled, wanted: 1 } : null,
      webhooks,
      falling,
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
      soldOutToldMs,
      places: tally.places.counts(),
      servers,
      serversKilled,
      troubles: tally.troubles,
      falling,
      webhooks,
      gates,
      ok,
    };
    return { result, report, ends: tally.ends };
  } finally {
    killing.abort();
    await memory.stop();
    await broken?.mend();
    if (!signal.aborted) await stage.strike();
  }
}

/** In the middle: some have paid, many are about to, most wait. */
const killAtPaidShare = 0.25;
const middleLookMs = 50;

function killInTheMiddle(
  killServer: () => Promise<void>,
  { tally, stockCount, signal }: { tally: Tally; stockCount: number; signal: AbortSignal },
): { killed: Promise<void>; done: Promise<number> } {
  const { promise: killed, resolve } = Promise.withResolvers<void>();
  const done = (async () => {
    while (tally.ends.paid < Math.max(1, stockCount * killAtPaidShare)) {
      if (signal.aborted) return 0;
      await quietWait(middleLookMs, signal);
    }
    const ready = killServer();
    resolve();
    await ready;
    return 1;
  })();
  return { killed, done };
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
