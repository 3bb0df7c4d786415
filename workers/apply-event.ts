// The job that works off one stored event of Stripe's; what it does is in `checkout/apply-event.ts`.
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { ApplyEvent } from '../server/checkout/apply-event.ts';
import { limits } from '../server/limits.ts';
import { createWorker } from '../server/platform/jobs.ts';

const jobSchema = z.object({ eventId: z.string() });

export function createApplyEventWorker(deps: {
  applyEvent: ApplyEvent;
  connection: Redis;
  log: Logger;
}): Worker<unknown> {
  const { applyEvent, connection, log } = deps;
  return createWorker<unknown>({
    name: 'events',
    connection,
    concurrency: limits.jobsConcurrencyCount,
    log,
    process: async job => {
      await applyEvent(jobSchema.parse(job.data).eventId);
    },
  });
}
