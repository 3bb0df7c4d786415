// One buyer's way through a drop, as a person's browser takes it: a session of their own, a socket of their own,
// queue, cart, hold, payment, and waiting for the order. Whatever fails for a while (a server that was killed, a busy
// one) is tried again with the same ids, politely; whatever fails for good ends this journey and no other.
import {
  createDoorbuster,
  failureOf,
  withRetries,
  type Doorbuster,
  type QueueStep,
} from '../../client/index.ts';
import type { FallingPrices } from './falling-prices.ts';
import type { BuyerPlan } from './plan-buyers.ts';
import { quietSockets, type Attention } from './quiet-socket.ts';
import { quietWait } from './quiet-wait.ts';
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
  /** The server's clock, as well as it is known here; who is not asked when they heard needs none. */
  readonly serverNow?: () => number;
  /** What buyers of a price that falls are asked and pay; absent where it stays. */
  readonly prices?: FallingPrices;
  /** Resolves when a server was killed under the drop: then whoever waits asks for their place. */
  readonly serverKilled?: Promise<void>;
  /** Called as a socket of any buyer opens, the first one too. */
  readonly onSocketOpen?: () => void;
}

/** So long those who wait take to ask, all together: they are people, and not one program. */
const askSpreadMs = 4_000;

export async function takeJourney(deps: JourneyDeps, plan: BuyerPlan): Promise<JourneyEnd> {
  const { tally, signal } = deps;
  const leaving = new AbortController();
  const attention: Attention & { heardEndAtMs: number | null } = {
    isShopping: false,
    heardEndAtMs: null,
    hearEnd() {
      attention.heardEndAtMs ??= deps.serverNow?.() ?? null;
    },
    open: deps.onSocketOpen,
  };
  const buyer = createDoorbuster({ url: deps.url, fetch: deps.fetch, WebSocket: quietSockets(attention) });
  try {
    tally.reach('arrived');
    return await queueAndShop(deps, plan, { buyer, leaving, attention });
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
  own: {
    buyer: Doorbuster;
    leaving: AbortController;
    attention: { isShopping: boolean; readonly heardEndAtMs: number | null };
  },
): Promise<JourneyEnd> {
  const { dropId, tally, opensAtMs } = deps;
  const { buyer, leaving, attention } = own;
  const signal = AbortSignal.any([deps.signal, leaving.signal]);
  const onRetry = tally.retried;
  const shopper = createShopper({ ...deps, buyer, plan, signal });
  const watching = shopper.watchDrop();
  const arrivedAtMs = performance.now();
  let joinedAtMs: number | null = null;
  let shopping: Promise<Shopped> | null = null;
  let last: QueueStep['kind'] = 'closed';
  let ticket: string | null = null;
  const { places } = tally;
  const askForPlace = async () => {
    await quietWait(askSpreadMs * Math.random(), signal);
    if (signal.aborted || last !== 'waiting' || ticket === null) return;
    const asked = ticket;
    try {
      const status = await withRetries(() => buyer.api.queue.get.query({ ticket: asked }), {
        signal,
        onRetry,
      });
      if (status.kind === 'waiting') places.waits(plan.index, status);
    } catch (error) {
      if (signal.aborted) return;
      tally.error(`place ${describe(error)}`);
      places.lost(plan.index);
    }
  };
  const renewPass = async (pass: string): Promise<string | null> => {
    if (ticket === null) return null;
    const asked = ticket;
    const status = await withRetries(() => buyer.api.queue.get.query({ ticket: asked }), { signal, onRetry });
    return status.kind === 'called' && status.pass !== pass ? status.pass : null;
  };
  const asking: Promise<void>[] = [];
  void deps.serverKilled?.then(() => asking.push(askForPlace()));
  try {
    for await (const step of buyer.joinAndWait({
      dropId,
      until: 'end',
      signal,
      onRetry,
      joinWithinMs: patienceMs,
    })) {
      if (step.kind === 'sold-out' && last === 'waiting' && deps.serverNow) {
        // Not heard on the socket: then this instant, which is later.
        tally.soldOutHeardAtMs.push(attention.heardEndAtMs ?? deps.serverNow());
      }
      last = step.kind;
      if (step.kind === 'joined') {
        ({ ticket } = step);
        places.joined(plan.index, step);
      }
      if (step.kind === 'waiting') {
        ticket = step.ticket ?? ticket;
        places.waits(plan.index, step);
      }
      if (step.kind === 'joined' && joinedAtMs === null) {
        joinedAtMs = performance.now();
        tally.reach('joined');
        tally.took('join', joinedAtMs - arrivedAtMs);
      }
      if (step.kind === 'joined' && plan.leavesAfter === 'join') {
        tally.meet('left after join');
        return 'abandoned';
      }
      if (step.kind === 'called' && plan.leavesAfter === 'pass') {
        tally.reach('called');
        tally.meet('left after pass');
        return 'abandoned';
      }
      if (step.kind === 'called' && shopping === null) {
        attention.isShopping = true;
        tally.reach('called');
        tally.took('admit', performance.now() - Math.max(joinedAtMs ?? arrivedAtMs, opensAtMs));
        shopping = shopper.shop(step.pass, renewPass);
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
    await Promise.all(asking);
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
