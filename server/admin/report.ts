// Gathers a drop's books from where they are kept. Reads only.
import type { Drop } from '../drops/drop.ts';
import type { DropId } from '../ids.ts';
import type { ReportBooks } from './report-books.ts';
import { readCalls } from './report-calls.ts';
import type { DropReport, LoggedCall } from './report-output.ts';
import type { ListDropPayments } from './report-payments.ts';
import type { DropBooks } from './report-counted.rules.ts';
import { reckonDrop } from './report.rules.ts';

export interface ReportDeps {
  /** The drop; absent is an error for the caller. */
  readonly drop: (dropId: DropId) => Promise<Drop>;
  /** What Redis says of the drop at this instant. */
  readonly look: (dropId: DropId) => Promise<DropBooks['view']>;
  readonly calls: (dropId: DropId) => AsyncIterable<LoggedCall>;
  readonly books: ReportBooks;
  readonly listPayments: ListDropPayments;
  readonly clock: { now(): number };
}

export type Report = (request: { dropId: DropId; payments: boolean; calls: boolean }) => Promise<DropReport>;

export function createReport(deps: ReportDeps): Report {
  const { books } = deps;
  return async request => {
    const { dropId } = request;
    const drop = await deps.drop(dropId);
    const startedAtMs = deps.clock.now();
    // The order matters while the drop runs: payments before orders and units before orders, since an order is further
    // than what hangs on it, and Redis before the log, since a call is logged before it takes effect.
    const payments = request.payments ? await deps.listPayments({ dropId, sinceMs: drop.createdAtMs }) : null;
    const view = await deps.look(dropId);
    const entries: LoggedCall[] = [];
    for await (const entry of deps.calls(dropId)) entries.push(entry);
    const [ownedUnits, counts] = await Promise.all([
      books.ownedUnits(dropId),
      Promise.all(drop.items.map(async ({ sku }) => [sku, await books.countUnits(dropId, sku)] as const)),
    ]);
    const orders = await books.orders(dropId);
    return reckonDrop({
      drop: {
        dropId,
        mode: drop.mode,
        seedHash: drop.seedHash,
        createdAtMs: drop.createdAtMs,
        currency: drop.items[0]?.price.currency ?? '',
        isLoaded: drop.loadedRev >= drop.rev,
        items: drop.items,
      },
      view,
      orders,
      ownedUnits,
      unitTotals: new Map(counts),
      payments,
      calls: await readCalls(drop, entries),
      ...(request.calls ? { entries } : {}),
      startedAtMs,
      countedAtMs: deps.clock.now(),
    });
  };
}
