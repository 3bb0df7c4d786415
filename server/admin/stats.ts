// The live figures of a drop, for its operator: how many stand where between the queue and the paid order, and how the
// engine does. They follow the drop's own feed, coalesced, and are counted once for all who watch in this process.
import type { DropFeeds } from '../drops/feeds.ts';
import type { DropView } from '../drops/drop-view.ts';
import type { DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { OrderStatus } from '../orders/order.rules.ts';
import type { CallFigures } from './call-figures.ts';
import type { DropStats } from './stats.router.ts';

export interface Stats {
  /** The figures now, then after each change, at most once in `statsTickMs`, until the signal. */
  watch(dropId: DropId, signal: AbortSignal | undefined): AsyncGenerator<{ id: string; data: DropStats }>;
}

export function createStats(deps: {
  feeds: Pick<DropFeeds, 'open'>;
  countOrders: (dropId: DropId) => Promise<Record<OrderStatus, number>>;
  callFigures: () => Promise<CallFigures>;
}): Stats {
  const { feeds, countOrders, callFigures } = deps;
  const counted = new Map<
    DropId,
    { atMs: number; counts: Promise<[Record<OrderStatus, number>, CallFigures]> }
  >();

  const count = (dropId: DropId) => {
    const known = counted.get(dropId);
    if (known && performance.now() - known.atMs < limits.statsTickMs / 2) return known.counts;
    const counts = Promise.all([countOrders(dropId), callFigures()]);
    counted.set(dropId, { atMs: performance.now(), counts });
    counts.catch(() => counted.delete(dropId));
    return counts;
  };

  return {
    async *watch(dropId, signal) {
      const { feed, close } = await feeds.open(dropId);
      const change = createSignal();
      const stopListening = feed.listen(change.raise);
      signal?.addEventListener('abort', change.raise);
      try {
        while (!signal?.aborted) {
          const lookedAtMs = performance.now();
          const [orders, calls] = await count(dropId);
          const { view, data } = feed.latest;
          const perMin = data.lanes.reduce((sum, lane) => sum + lane.callsPerMin, 0);
          yield { id: `${view.seq}:${view.nowMs}`, data: figuresOf({ view, orders, calls, perMin }) };
          // Orders move on without the drop's stock: what the feed does not say is seen by a look now and then.
          await change.wait(2 * limits.statsTickMs);
          const restMs = lookedAtMs + limits.statsTickMs - performance.now();
          if (restMs > 0 && !signal?.aborted) await createSignal().wait(restMs);
        }
      } finally {
        stopListening();
        signal?.removeEventListener('abort', change.raise);
        close();
        counted.delete(dropId);
      }
    },
  };
}

function figuresOf(now: {
  view: DropView;
  orders: Record<OrderStatus, number>;
  calls: CallFigures;
  perMin: number;
}): DropStats {
  const { view, orders, calls, perMin } = now;
  const paying = orders.pending + orders.closing + orders.authorized;
  const paid = orders.paid + orders.fulfilled + orders.refunded;
  return {
    dropId: view.dropId,
    state: view.state,
    waiting: view.lanes.reduce((sum, lane) => sum + Math.max(0, lane.arrived - lane.serving), 0),
    called: view.unclaimedCount,
    shopping: Math.max(0, view.activeCount - view.withHoldCount),
    holding: Math.max(0, view.withHoldCount - paying),
    paying,
    paid,
    stock: view.stock.map(({ sku, total, available, held, sold, withdrawn }) => ({
      sku,
      total,
      available,
      held,
      sold,
      withdrawn,
    })),
    calls: {
      perMin,
      targetPerMin: Math.round(view.ratePerSec * 60),
      active: view.activeCount,
      activeMax: view.activeMax,
    },
    orders,
    process: { ...calls },
    serverTimeMs: view.nowMs,
  };
}

/** Raised once or many times, it ends one wait, the present one or the next. */
function createSignal() {
  let raised = false;
  let wake = () => {};
  return {
    raise: () => {
      raised = true;
      wake();
    },
    async wait(ms: number): Promise<void> {
      if (!raised) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, ms);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      raised = false;
      wake = () => {};
    },
  };
}
