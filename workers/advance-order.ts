// The job that takes one order further. It is only asked here; what is done, and done again, is in `checkout/advance.ts`.
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Advance } from '../server/checkout/advance.ts';
import { orderIdSchema } from '../server/ids.ts';
import { limits } from '../server/limits.ts';
import { createWorker } from '../server/platform/jobs.ts';

const jobSchema = z.object({ orderId: orderIdSchema });

export function createAdvanceOrderWorker(deps: {
  advance: Advance;
  connection: Redis;
  log: Logger;
}): Worker<unknown> {
  const { advance, connection, log } = deps;
  return createWorker<unknown>({
    name: 'orders',
    connection,
    concurrency: limits.jobsConcurrencyCount,
    log,
    process: async job => {
      await advance(jobSchema.parse(job.data).orderId);
    },
  });
}
