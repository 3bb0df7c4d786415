// Asks for the jobs of the money path. A job is a hint: what is due stands in MongoDB, and the relay asks again until
// it is done. So asking never waits for a Redis that is away, and never fails its caller.
import type { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { OrderId } from '../ids.ts';
import type { QueueName } from '../platform/jobs.ts';

export interface OrderJob {
  readonly orderId: OrderId;
}
export interface EventJob {
  readonly eventId: string;
}

/** A step of an order: its id names the try, so that a job that was lost or failed never blocks the next one. */
export interface OrderStepRef {
  readonly orderId: OrderId;
  readonly rev: number;
  readonly attempts: number;
}
export interface EventRef {
  readonly eventId: string;
  readonly attempts: number;
}

export interface OrderJobs {
  readonly wakeOrder: (order: OrderStepRef) => void;
  readonly wakeEvent: (eventId: string) => void;
  /** False where the jobs' Redis did not take them in time. */
  addOrders(orders: readonly OrderStepRef[]): Promise<boolean>;
  addEvents(events: readonly EventRef[]): Promise<boolean>;
}

/** A Redis at work answers in a millisecond; one that does not within this counts as away. */
const addWithinMs = 1_000;

export function createOrderJobs(deps: {
  orders: Queue<OrderJob>;
  events: Queue<EventJob>;
  /** The connection of both queues. */
  connection: Pick<Redis, 'status'>;
  log: Logger;
}): OrderJobs {
  const { orders, events, connection, log } = deps;

  /** Commands to a Redis that is away would pile up in the connection; the relay asks again anyway. */
  const ask = async (queue: QueueName, add: () => Promise<unknown>): Promise<boolean> => {
    if (connection.status !== 'ready') return false;
    const added = add().then(
      () => true,
      (error: unknown) => {
        log.warn({ err: error, queue }, 'jobs: could not be asked for; the relay does it');
        return false;
      },
    );
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>(resolve => {
      timer = setTimeout(resolve, addWithinMs, false);
    });
    const inTime = await Promise.race([added, late]);
    clearTimeout(timer);
    return inTime;
  };
  const addOrders: OrderJobs['addOrders'] = refs =>
    ask('orders', () =>
      orders.addBulk(
        refs.map(({ orderId, rev, attempts }) => ({
          name: 'advance-order',
          data: { orderId },
          opts: { jobId: `${orderId}-${rev}-${attempts}` },
        })),
      ),
    );
  const addEvents: OrderJobs['addEvents'] = refs =>
    ask('events', () =>
      events.addBulk(
        refs.map(({ eventId, attempts }) => ({
          name: 'apply-event',
          data: { eventId },
          opts: { jobId: `${eventId}-${attempts}` },
        })),
      ),
    );

  return {
    wakeOrder: order => void addOrders([order]),
    wakeEvent: eventId => void addEvents([{ eventId, attempts: 0 }]),
    addOrders,
    addEvents,
  };
}
