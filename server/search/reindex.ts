// Builds the whole index anew beside the searched one, and puts it in its place between two searches.
//
// Each product is copied under the same claim that an indexer takes, so nobody else writes it meanwhile; every other
// change goes to both collections, by whoever indexes it. So the new one is complete when the last product is copied,
// however many were written meanwhile, and it is compared with the catalog before anybody searches it. A reindex that
// was killed is taken up where it stopped: what it copied has been kept up since.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Catalog } from '../catalog/catalog.ts';
import { limits } from '../limits.ts';
import { compareIndex, type Difference } from './compare-index.ts';
import { type AvailabilityLookup, entriesOf } from './product-entry.ts';
import type { ReindexState, ReindexStore } from './reindex.store.ts';
import type { SearchIndex } from './search-index.ts';

export type ReindexOutcome =
  | { kind: 'done'; copiedCount: number; resumed: boolean; removed: string[] }
  /** Another one is at it; unless it goes on, its turn ends then. */
  | { kind: 'taken'; untilMs: number }
  /** Products that the search service refused: the old index stays. */
  | { kind: 'refused'; refused: Map<string, string> }
  /** What was built is not what the catalog says: the old index stays. */
  | { kind: 'differs'; differences: Difference[] };

export interface ReindexProgress {
  phase: 'copy' | 'compare';
  doneCount: number;
  totalCount: number;
}

export interface Reindex {
  run(options?: { onProgress?: (progress: ReindexProgress) => void }): Promise<ReindexOutcome>;
}

class LeaseLost extends Error {}

export function createReindex(deps: {
  catalog: Pick<Catalog, 'pageIds' | 'claimIds' | 'endClaim' | 'counts' | 'indexStates' | 'reindexAll'>;
  index: SearchIndex;
  store: ReindexStore;
  availabilityOf: AvailabilityLookup;
  clock: { now(): number };
  log: Logger;
}): Reindex {
  const { catalog, index, store, availabilityOf, clock, log } = deps;
  const leaseUntil = () => clock.now() + limits.reindexLeaseMs;

  async function keep(state: ReindexState): Promise<void> {
    if (!(await store.advance(state, leaseUntil()))) throw new LeaseLost('another reindex has taken over');
  }

  async function startOf(by: string, before: ReindexState | null): Promise<ReindexState> {
    // What a killed one held is free at once, not only when its claim has run out.
    if (before) await catalog.endClaim({ by: before.by, taken: [] });
    if (before && before.filling !== '' && (await index.next()) === before.filling) {
      return { ...before, by };
    }
    return { by, filling: await index.beginNext(), after: '', copiedCount: 0 };
  }

  /** Copies the page after `state.after`; answers null where there is none. */
  async function copyPage(state: ReindexState, refused: Map<string, string>): Promise<ReindexState | null> {
    let ids = await catalog.pageIds({
      after: state.after === '' ? null : state.after,
      limit: limits.reindexBatchCount,
    });
    const after = ids.at(-1);
    if (after === undefined) return null;
    let copiedCount = 0;
    for (;;) {
      const { claimed, busy } = await catalog.claimIds({ by: state.by, ids });
      try {
        const live = claimed.flatMap(({ product }) => (product ? [product] : []));
        const entries = await entriesOf(live, availabilityOf);
        for (const [id, error] of await index.fillNext(state.filling, entries)) refused.set(id, error);
      } finally {
        await catalog.endClaim({ by: state.by, taken: [] });
      }
      copiedCount += claimed.filter(({ product }) => product !== null).length;
      if (busy.length === 0) return { ...state, after, copiedCount: state.copiedCount + copiedCount };
      // An indexer is at work on these, and may not know of the new collection: they are asked for again.
      ids = busy;
      await pause(limits.reindexBusyMs);
    }
  }

  async function build(
    start: ReindexState,
    onProgress: (progress: ReindexProgress) => void,
  ): Promise<ReindexOutcome> {
    const { products: totalCount } = await catalog.counts();
    const refused = new Map<string, string>();
    let state = start;
    for (;;) {
      await keep(state);
      onProgress({ phase: 'copy', doneCount: state.copiedCount, totalCount });
      const next = await copyPage(state, refused);
      if (next === null) break;
      state = next;
    }
    if (refused.size > 0) return { kind: 'refused', refused };
    const { differences } = await compareIndex({
      catalog,
      index,
      availabilityOf,
      collection: state.filling,
      onProgress: doneCount => onProgress({ phase: 'compare', doneCount, totalCount }),
    });
    if (differences.length > 0) return { kind: 'differs', differences };
    await keep(state);
    await index.swapIn(state.filling);
    return {
      kind: 'done',
      copiedCount: state.copiedCount,
      resumed: start.after !== '',
      removed: await index.removeLeftovers(),
    };
  }

  return {
    async run({ onProgress = () => undefined } = {}) {
      const by = `reindex-${randomUUID()}`;
      if ((await index.ensure()) === 'new') await catalog.reindexAll();
      const lease = await store.begin({ by, nowMs: clock.now(), untilMs: leaseUntil() });
      if (lease.kind === 'taken') return lease;
      let isFinished = false;
      // A comparison of everything may take longer than the lease.
      const keeping = setInterval(() => {
        store.renew(by, leaseUntil()).catch((error: unknown) => {
          log.warn({ err: error }, 'reindex: the lease could not be kept');
        });
      }, limits.reindexLeaseMs / 3);
      try {
        await index.removeLeftovers();
        const outcome = await build(await startOf(by, lease.before), onProgress);
        if (outcome.kind !== 'done') {
          await index.abandonNext();
          await index.removeLeftovers();
        }
        isFinished = true;
        return outcome;
      } finally {
        clearInterval(keeping);
        // One that failed is taken up where it stopped.
        await store.end(by, { isFinished });
      }
    },
  };
}
