// BullMQ's queues. A job is a hint, never the record: whoever adds one has written down beforehand what is due, and a
// relay adds it again until the effect stands. So losing the jobs' Redis loses nothing.
import { Queue, Worker, type Processor } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';

/** Hash-tagged, so that BullMQ's keys share a slot on a cluster. */
const prefix = '{door}';

/** One queue for each kind of work, so that slow indexing never stands before a payment. */
export type QueueName = 'orders' | 'events' | 'search' | 'audit';

export function createQueue<T>(name: QueueName, connection: Redis): Queue<T> {
  return new Queue<T>(name, {
    connection,
    prefix,
    defaultJobOptions: {
      // Ended jobs are forgotten at once: a job id is refused as long as any job of that id exists, in any state.
      removeOnComplete: true,
      removeOnFail: true,
      attempts: 1,
    },
  });
}

export function createWorker<T>(options: {
  name: QueueName;
  connection: Redis;
  concurrency: number;
  process: Processor<T>;
  log: Logger;
}): Worker<T> {
  const worker = new Worker<T>(options.name, options.process, {
    connection: options.connection,
    prefix,
    concurrency: options.concurrency,
    // A worker that was killed loses its lock within this; the relay does not wait for it.
    lockDuration: 15_000,
    stalledInterval: 10_000,
  });
  worker.on('failed', (job, error) => options.log.warn({ job: job?.name, err: error }, 'a job failed'));
  worker.on('error', error => options.log.warn({ err: error }, 'the job queue is in trouble'));
  return worker;
}
