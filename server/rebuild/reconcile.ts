// Holds a drop's stock in Redis against MongoDB, and puts it right where it has drifted for certain: its sums do not add
// up, or nothing is on its way and what Redis calls sold is not what the ledger gave away, twice, with no change between.
// More sold than given away is wrong at any time, since units are claimed before a hold is settled: MongoDB has lost
// orders. It must last from one look to the next, because a refund takes units out of the ledger first.
import type { DropView } from '../drops/drop-view.ts';
import type { Drop } from '../drops/drop.ts';
import type { DropId, Sku } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Logger } from 'pino';
import type { Metrics } from '../platform/telemetry.ts';
import type { Rebuild } from './rebuild.ts';

export interface ReconcileDeps {
  readonly look: (dropId: DropId) => Promise<DropView | null>;
  /** How many orders have a step due or may still be paid. */
  readonly ordersUnderWay: (dropId: DropId) => Promise<number>;
  /** How many units of the SKU have an order. */
  readonly claimed: (dropId: DropId, sku: Sku) => Promise<number>;
  readonly rebuild: Rebuild;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** Looks at a drop, at most every `reconcileMs` in each process. */
export type Reconcile = (drop: Pick<Drop, 'dropId'>) => Promise<void>;

export function createReconcile(deps: ReconcileDeps): Reconcile {
  const { look, rebuild, log, metrics } = deps;
  const looked = new Map<DropId, { atMs: number; drift: string }>();

  return async ({ dropId }) => {
    const nowMs = performance.now();
    const before = looked.get(dropId);
    if (before && nowMs - before.atMs < limits.reconcileMs) return;
    looked.set(dropId, { atMs: nowMs, drift: '' });
    const view = await look(dropId);
    if (!view) return;
    const { lost, drifts, unitsCount } = await driftsOf(deps, view);
    metrics.stockDrift.set({ drop: dropId }, unitsCount);
    if (drifts.length === 0) return;
    const drift = lost.length > 0 ? lost.join('; ') : `${view.seq}: ${drifts.join('; ')}`;
    metrics.outcomes.inc({ what: 'stock-drift', kind: 'seen' });
    if (before?.drift !== drift) {
      looked.set(dropId, { atMs: nowMs, drift });
      return;
    }
    metrics.alarms.inc({ what: 'stock-drift' });
    log.error({ dropId, drifts, alarm: 'stock-drift' }, 'the stock in Redis has drifted and is put right');
    const outcome = await rebuild(dropId, true);
    metrics.outcomes.inc({ what: 'stock-drift', kind: outcome.kind });
  };
}

/** `lost`: what more was sold than the ledger knows of. `unitsCount`: how many units are in the wrong place, or in none. */
async function driftsOf(
  { ordersUnderWay, claimed }: ReconcileDeps,
  view: DropView,
): Promise<{ lost: string[]; drifts: string[]; unitsCount: number }> {
  const { dropId, stock } = view;
  const sums = stock
    .map(({ sku, total, available, held, sold, withdrawn }) => ({
      sku,
      units:
        Math.abs(total - available - held - sold - withdrawn) - Math.min(0, available, held, sold, withdrawn),
    }))
    .filter(({ units }) => units > 0);
  if (sums.length > 0) {
    const unitsCount = sums.reduce((sum, { units }) => sum + units, 0);
    return { lost: [], drifts: sums.map(({ sku }) => `${sku} does not add up`), unitsCount };
  }
  const underWay = await ordersUnderWay(dropId);
  const lost: string[] = [];
  const drifts: string[] = [];
  let unitsCount = 0;
  for (const { sku, sold } of stock) {
    const owned = await claimed(dropId, sku);
    if (owned < sold) lost.push(`${sku}: more sold than the ledger gave away`);
    if (owned < sold || (owned > sold && underWay === 0)) {
      drifts.push(`${sku}: ${sold} sold in Redis, ${owned} in the ledger`);
      unitsCount += Math.abs(owned - sold);
    }
  }
  return { lost, drifts, unitsCount };
}
