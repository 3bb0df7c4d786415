// The job that checks the books when an operator asks for it; what it does is in `server/audit/check-books.ts`.
import type { Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { CheckBooks } from '../server/audit/check-books.ts';
import { createWorker } from '../server/platform/jobs.ts';

const jobSchema = z.object({ runId: z.string() });

export function createCheckBooksWorker(deps: {
  checkBooks: CheckBooks;
  connection: Redis;
  log: Logger;
}): Worker<unknown> {
  const { checkBooks, connection, log } = deps;
  return createWorker<unknown>({
    name: 'audit',
    connection,
    concurrency: 1,
    log,
    process: async job => checkBooks(jobSchema.parse(job.data).runId),
  });
}
