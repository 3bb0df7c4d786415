// The job that keeps the search index level with the catalog, and the poll behind it: a lost job delays a change by
// half a second, and loses none.
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { limits } from '../server/limits.ts';
import { createWorker } from '../server/platform/jobs.ts';
import type { ProductIndexer } from '../server/search/index-products.ts';

export interface IndexWorker {
  /** Something is due: looks now, not with the next poll. */
  nudge(): void;
  /** Takes nothing new, and resolves when the run that is under way has ended. */
  close(): Promise<void>;
}

export function createIndexWorker(deps: {
  indexer: ProductIndexer;
  /** Of the jobs' Redis, in the mode that BullMQ needs (`connectRedis` with role `jobs`). */
  connection: Redis;
  log: Logger;
}): IndexWorker {
  const { indexer, connection, log } = deps;
  let isFailing = false;
  let polling: Promise<void> = Promise.resolve();

  /** Never throws: the outbox keeps what is due, and the next poll tries again. */
  async function run(): Promise<void> {
    try {
      await indexer.run();
      if (isFailing) log.info('search: the index is being kept up again');
      isFailing = false;
    } catch (error) {
      if (!isFailing) log.warn({ err: error }, 'search: the index falls behind');
      isFailing = true;
    }
  }

  const worker = createWorker({ name: 'search', connection, concurrency: 1, process: run, log });
  const poll = setInterval(() => {
    polling = run();
  }, limits.indexPollMs);
  polling = run();

  return {
    nudge() {
      polling = run();
    },
    async close() {
      clearInterval(poll);
      await worker.close();
      await polling;
    },
  };
}
