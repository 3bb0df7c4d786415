// Tells the worker that products are due for the index. Only a hint: a job is not added for every change but for all
// of one moment, and where the jobs' Redis is away the worker finds out by itself, from the outbox.
import type { Queue } from 'bullmq';
import type { Logger } from 'pino';
import { limits } from '../limits.ts';

export interface IndexHint {
  send(): void;
  close(): void;
}

export function createIndexHint(deps: { queue: Pick<Queue, 'add'>; log: Logger }): IndexHint {
  const { queue, log } = deps;
  let timer: NodeJS.Timeout | undefined;
  return {
    send() {
      timer ??= setTimeout(() => {
        timer = undefined;
        queue.add('index-products', {}).catch((error: unknown) => {
          log.debug({ err: error }, 'search: the hint to the indexer was lost');
        });
      }, limits.indexHintMs);
    },
    close() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}
