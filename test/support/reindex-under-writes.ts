// A reindex while products are written, removed and searched all the time, and what came of it: for the test, and for
// the same with a hundred thousand products.
import { setTimeout as pause } from 'node:timers/promises';
import { productIdSchema } from '../../server/ids.ts';
import { compareIndex, type Difference } from '../../server/search/compare-index.ts';
import type { ReindexOutcome, ReindexProgress } from '../../server/search/reindex.ts';
import { type CatalogServices, type OpenCatalog, someProduct } from './catalog-services.ts';
import { question } from './real-products.ts';

export interface ReindexUnderWrites {
  readonly outcome: ReindexOutcome;
  readonly reindexMs: number;
  readonly searchesCount: number;
  /** Searches that failed, were degraded, or did not find everything that stood there all the time. */
  readonly wrongAnswers: string[];
  readonly writesCount: number;
  /** From a write until it could be found, at most. */
  readonly slowestMs: number;
  readonly differences: Difference[];
}

export async function reindexUnderWrites(options: {
  services: CatalogServices;
  open: OpenCatalog;
  /** So many products have `standingText` in their titles and are never written. */
  standingCount: number;
  standingText: string;
  writesPerSec: number;
  /** Writing goes on until the reindex is done and there were so many. */
  untilWritesCount: number;
  onProgress?: (progress: ReindexProgress) => void;
}): Promise<ReindexUnderWrites> {
  const { services, open, standingCount, standingText, writesPerSec, untilWritesCount } = options;
  const { catalog } = open;
  let nowMs = 0;
  // Each question is asked of the service: none is answered from memory.
  const { search, indexer, index } = services.openSearch(catalog, { now: () => nowMs });
  let isReindexing = true;
  let isWriting = true;
  let writesCount = 0;
  let searchesCount = 0;
  let slowestMs = 0;
  const wrongAnswers: string[] = [];

  async function ask(text: string): Promise<number> {
    nowMs += 10_000;
    const answer = await search.products(question(text, { perPage: 1 }));
    if (answer.degraded) wrongAnswers.push(`"${text}" was answered without the search service`);
    return answer.total;
  }

  /** At its pace, whether or not the one before is done: a slow catalog is not to slow the writers down. */
  async function write(): Promise<void> {
    const startedAtMs = performance.now();
    const underWay = new Set<Promise<unknown>>();
    while (isReindexing || writesCount < untilWritesCount) {
      const number = writesCount;
      // Created, changed and removed again, some of them, so that every kind of change is under way.
      const writing =
        number % 3 === 2
          ? catalog.remove(productIdSchema.parse(`w-${Math.max(0, number - 30) % 300}`))
          : catalog.upsert(someProduct(`w-${number % 300}`, { title: `Written ${number}` }));
      underWay.add(writing.finally(() => underWay.delete(writing)));
      writesCount += 1;
      await pause(Math.max(0, startedAtMs + (writesCount * 1000) / writesPerSec - performance.now()));
    }
    await Promise.all(underWay);
    isWriting = false;
  }

  async function find(): Promise<void> {
    while (isWriting) {
      const found = await ask(standingText);
      searchesCount += 1;
      if (found !== standingCount) wrongAnswers.push(`${found} of ${standingCount} were found`);
      await pause(25);
    }
  }

  async function indexAll(): Promise<void> {
    while (isWriting) {
      await indexer.run();
      await pause(10);
    }
  }

  /** Now and then: how long until what is written now is found. */
  async function followOne(): Promise<void> {
    for (let number = 0; isWriting; number += 1) {
      const mark = `freshmark${number}x`;
      await catalog.upsert(someProduct('followed', { title: mark }));
      const startedAtMs = performance.now();
      while ((await ask(`"${mark}"`)) === 0) await pause(25);
      slowestMs = Math.max(slowestMs, performance.now() - startedAtMs);
    }
  }

  const startedAtMs = performance.now();
  const [outcome] = await Promise.all([
    services
      .openReindex(open)
      .run(options.onProgress ? { onProgress: options.onProgress } : {})
      .finally(() => {
        isReindexing = false;
      })
      .then(result => ({ result, tookMs: performance.now() - startedAtMs })),
    write(),
    find(),
    indexAll(),
    followOne(),
  ]);
  await indexer.run();
  const { differences } = await compareIndex({ catalog, index, availabilityOf: async () => new Map() });
  return {
    outcome: outcome.result,
    reindexMs: outcome.tookMs,
    searchesCount,
    wrongAnswers,
    writesCount,
    slowestMs,
    differences,
  };
}
