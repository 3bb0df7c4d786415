// One buyer's way through a drop, as a person's browser takes it: a session of their own, a socket of their own,
// queue, cart, hold, payment, and waiting for the order. Whatever fails for a while (a server that was killed, a busy
// one) is tried again with the same ids, politely; whatever fails for good ends this journey and no other.
import { createDoorbuster, failureOf, type Doorbuster, type QueueStep } from '../../client/index.ts';
import type { BuyerPlan } from './plan-buyers.ts';
import { createShopper, patienceMs, type Shopped } from './shop.ts';
import type { JourneyEnd, Tally } from './tally.ts';

export interface JourneyDeps {
  readonly url: string;
  readonly dropId: string;
  readonly skus: readonly string[];
  readonly currency: string;
  readonly tally: Tally;
  readonly fetch: typeof fetch;
  /** Ends every journey at once. */
  readonly signal: AbortSignal;
  /** When the drop opens on the monotonic clock: nobody waits to be called before. */
  readonly opensAtMs: number;
}

export async function takeJourney(deps: JourneyDeps, plan: BuyerPlan): Promise<JourneyEnd> {
  const { tally, signal } = deps;
  const leaving = new AbortController();
  const buyer = createDoorbuster({ url: deps.url, fetch: deps.fetch });
  try {
    tally.reach('arrived');
    return await queueAndShop(deps, plan, { buyer, leaving });
  } catch (error) {
    if (signal.aborted) return 'unfinished';
    tally.error(`failed ${describe(error)}`);
    return 'failed';
  } finally {
    leaving.abort();
    await buyer.close();
  }
}

async function queueAndShop(
  deps: JourneyDeps,
  plan: BuyerPlan,
  own: { buyer: Doorbuster; leaving: AbortController },
): Promise<JourneyEnd> {
  const { dropId, tally, opensAtMs } = deps;
  const { buyer, leaving } = own;
  const signal = AbortSignal.any([deps.signal, leaving.signal]);
  const onRetry = tally.retried;
  const shopper = createShopper({ ...deps, buyer, plan, signal });
  const watching = shopper.watchDrop();
  const arrivedAtMs = performance.now();
  let joinedAtMs: number | null = null;
  let shopping: Promise<Shopped> | null = null;
  let last: QueueStep['kind'] = 'closed';
  try {
    for await (const step of buyer.joinAndWait({
      dropId,
      until: 'end',
      signal,
      onRetry,
      joinWithinMs: patienceMs,
    })) {
      last = step.kind;
      if (step.kind === 'joined' && joinedAtMs === null) {
        joinedAtMs = performance.now();
        tally.reach('joined');
        tally.took('join', joinedAtMs - arrivedAtMs);
      }
      if (step.kind === 'called' && shopping === null) {
        tally.reach('called');
        tally.took('admit', performance.now() - Math.max(joinedAtMs ?? arrivedAtMs, opensAtMs));
        shopping = shopper.shop(step.pass);
        // The queue goes on telling meanwhile (sold out, say); who has ended shopping leaves it.
        void shopping.catch(() => undefined).finally(() => leaving.abort());
      }
    }
    if (shopping !== null) {
      shopper.hurry();
      return (await shopping).end;
    }
    return deps.signal.aborted ? 'unfinished' : endOf(last);
  } finally {
    leaving.abort();
    await watching;
  }
}

function endOf(kind: QueueStep['kind']): JourneyEnd {
  switch (kind) {
    case 'sold-out':
    case 'lost-draw':
      return 'sold-out';
    case 'closed':
      return 'closed';
    case 'missed':
    case 'left':
      return 'missed';
    case 'bad-code':
    case 'called':
    case 'done':
    case 'joined':
    case 'lobby':
    case 'not-yet':
    case 'proof-required':
    case 'waiting':
      return 'failed';
  }
}

function describe(error: unknown): string {
  const { code } = failureOf(error);
  if (code !== 'unknown') return code;
  return error instanceof Error ? `${error.name}: ${error.message.slice(0, 80)}` : 'unknown';
}
