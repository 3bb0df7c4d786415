// Keeps the search index level with the catalog. What is due stands in the catalog's outbox; a run takes it in
// batches until nothing is left, so that it never matters how often, or whether, anybody was told to run.
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import type { Catalog, DueProduct } from '../catalog/catalog.ts';
import { limits } from '../limits.ts';
import { type AvailabilityLookup, entriesOf } from './product-entry.ts';
import type { SearchIndex } from './search-index.ts';

export interface ProductIndexer {
  /** Indexes what is due, until nothing is. Runs do not overlap: one that is asked for meanwhile follows. */
  run(): Promise<void>;
}

export function createProductIndexer(deps: {
  catalog: Pick<Catalog, 'claimDue' | 'endClaim' | 'reindexAll'>;
  index: SearchIndex;
  log: Logger;
  /** Without it, nothing is known to be sold. */
  availabilityOf?: AvailabilityLookup;
  /** Told where the index has the fields of an older version: it is to be rebuilt, while this one goes on. */
  onOutdated?: () => void;
}): ProductIndexer {
  const { catalog, index, log, availabilityOf = () => Promise.resolve(new Map()), onOutdated } = deps;
  const by = randomUUID();
  let isEnsured = false;
  let running: Promise<void> | undefined;
  let isAskedAgain = false;

  /** Returns how many products were worked off. */
  async function batch(): Promise<number> {
    const due = await catalog.claimDue({ by, limit: limits.indexBatchCount });
    if (due.length === 0) return 0;
    try {
      await catalog.endClaim({ by, ...(await send(due)) });
    } catch (error) {
      await catalog.endClaim({ by, taken: [] });
      throw error;
    }
    return due.length;
  }

  async function send(due: readonly DueProduct[]): Promise<{ taken: DueProduct[]; refused: DueProduct[] }> {
    const live = due.flatMap(({ product }) => (product ? [product] : []));
    const refusals = await index.put(await entriesOf(live, availabilityOf));
    await index.drop(due.filter(({ product }) => product === null).map(({ productId }) => productId));
    for (const [productId, error] of refusals)
      log.error({ productId, error }, 'search: a product was refused');
    return {
      taken: due.filter(({ productId }) => !refusals.has(productId)),
      refused: due.filter(({ productId }) => refusals.has(productId)),
    };
  }

  async function ensure(): Promise<void> {
    if (isEnsured) return;
    const state = await index.ensure();
    // A new index is empty: the catalog's word that products are indexed is about another one.
    if (state === 'new') await catalog.reindexAll();
    if (state === 'outdated') onOutdated?.();
    isEnsured = true;
  }

  async function runOnce(): Promise<void> {
    await ensure();
    try {
      while ((await batch()) > 0);
    } catch (error) {
      if (index.isMissing(error)) isEnsured = false;
      throw error;
    }
  }

  return {
    async run() {
      if (running) {
        isAskedAgain = true;
        return running;
      }
      running = (async () => {
        do {
          isAskedAgain = false;
          await runOnce();
        } while (isAskedAgain);
      })().finally(() => {
        running = undefined;
      });
      return running;
    },
  };
}
