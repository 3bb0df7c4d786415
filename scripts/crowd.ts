// Sends simulated buyers to a drop, each with a session and a socket of their own, on the same journey as in a drill:
// some before it opens, some as it opens. They pay with Stripe's test card, so the drop sells out before one's eyes.
import { createDoorbuster } from '../client/index.ts';
import { createBoundedFetch } from './drill/bounded-fetch.ts';
import { takeJourney } from './drill/journey.ts';
import { quietWait } from './drill/quiet-wait.ts';
import { createTally, type Tally } from './drill/tally.ts';

const callsAtOnceCount = 128;
const lineEveryMs = 1_000;
/** While the lobby only fills, there is less to tell. */
const lobbyLineEveryMs = 5_000;
/** Nine in ten come before a drop opens, the others shortly after; where it is open already, all come in this time. */
const earlyShare = 0.9;
const lateMs = 10_000;

export async function sendCrowd(options: {
  url: string;
  dropId: string;
  buyersCount: number;
  signal?: AbortSignal;
  say?: (line: string) => void;
}): Promise<void> {
  const { url, dropId, buyersCount, say = line => void process.stdout.write(`${line}\n`) } = options;
  const ending = new AbortController();
  const end = () => ending.abort();
  // Ctrl-C ends the shop, and with it the crowd, which would otherwise knock at a closed door.
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, end);
  options.signal?.addEventListener('abort', end);
  const tally = createTally();
  const timer = setInterval(showChanges(tally, say), lineEveryMs);
  try {
    const looker = createDoorbuster({ url });
    const drop = await looker.api.drop.get.query({ dropId });
    await looker.close();
    const opensInMs = Math.max(0, drop.opensAtMs - drop.serverTimeMs);
    const deps = {
      url,
      dropId,
      skus: drop.items.map(item => item.sku),
      currency: drop.items[0]?.price.currency ?? 'USD',
      tally,
      fetch: createBoundedFetch(callsAtOnceCount),
      signal: ending.signal,
      opensAtMs: performance.now() + opensInMs,
    };
    await Promise.all(
      Array.from({ length: buyersCount }, async (_, index) => {
        const arriveAfterMs = arrivalMs(opensInMs);
        await quietWait(arriveAfterMs, ending.signal);
        if (!ending.signal.aborted)
          tally.end(await takeJourney(deps, { index, arriveAfterMs, intent: 'buy' }));
      }),
    );
  } finally {
    clearInterval(timer);
    for (const signal of signals) process.off(signal, end);
    options.signal?.removeEventListener('abort', end);
  }
  if (ending.signal.aborted) return;
  const { ends, errors } = tally;
  say(`  The crowd has left: ${ends.paid} bought, ${buyersCount - ends.paid} went home without.`);
  if (ends.failed > 0) say(`  ${ends.failed} of them met an error: ${Object.keys(errors).join(', ')}.`);
}

function arrivalMs(opensInMs: number): number {
  if (opensInMs > 2_000 && Math.random() < earlyShare) return Math.random() * (opensInMs - 1_500);
  return opensInMs + Math.random() * lateMs;
}

/** A line for each second in which something happened. */
function showChanges(tally: Tally, say: (line: string) => void): () => void {
  let last = '';
  let saidAtMs = 0;
  return () => {
    if (tally.called === 0 && performance.now() - saidAtMs < lobbyLineEveryMs) return;
    const line =
      `  crowd: ${tally.arrived} came, ${tally.joined} queue, ${tally.called} were called, ` +
      `${tally.held} have a unit, ${tally.ends.paid} have paid`;
    if (line === last || tally.arrived === 0) return;
    last = line;
    saidAtMs = performance.now();
    say(line);
  };
}
