// The outbox's other end: finds in MongoDB what is due, and asks for its jobs until it is done. Where jobs cannot be
// asked for, or nobody works them off, it takes the steps itself. Several relays at once do nothing twice: jobs are
// named after the try, and steps may be repeated.
import type { Logger } from 'pino';
import type { Advance } from '../server/checkout/advance.ts';
import type { ApplyEvent } from '../server/checkout/apply-event.ts';
import type { OrderJobs } from '../server/checkout/order-jobs.ts';
import { limits } from '../server/limits.ts';
import type { Orders } from '../server/orders/orders.ts';

/** The stored events, as far as the relay needs them. */
export interface DueEventsPort {
  listDue(nowMs: number, limit: number): Promise<{ eventId: string; attempts: number; dueAtMs: number }[]>;
}

export interface Relay {
  /** One look. Never throws. */
  tick(): Promise<void>;
  start(): void;
  /** Ends after the present look. */
  stop(): Promise<void>;
}

export function createRelay(deps: {
  orders: Pick<Orders, 'listDue'>;
  events: DueEventsPort;
  jobs: Pick<OrderJobs, 'addOrders' | 'addEvents'>;
  advance: Advance;
  applyEvent: ApplyEvent;
  clock: { now(): number };
  log: Logger;
}): Relay {
  const { orders, events, jobs, advance, applyEvent, clock, log } = deps;

  const overdue = ({ dueAtMs }: { dueAtMs: number }) => clock.now() - dueAtMs > limits.stepOverdueMs;

  const relayEvents = async () => {
    const due = await events.listDue(clock.now(), limits.relayBatchCount);
    const asked = await jobs.addEvents(due);
    await eachBounded(asked ? due.filter(overdue) : due, event => applyEvent(event.eventId));
  };
  const relayOrders = async () => {
    const due = await orders.listDue(limits.relayBatchCount);
    const asked = await jobs.addOrders(due);
    await eachBounded(asked ? due.filter(overdue) : due, order => advance(order.orderId));
  };

  let failing = false;
  const tick = async () => {
    const results = await Promise.allSettled([relayEvents(), relayOrders()]);
    const failed = results.find(result => result.status === 'rejected');
    // Said once, not twice a second, while MongoDB is away.
    if (failed && !failing)
      log.warn({ err: failed.reason }, 'relay: what is due cannot be seen at the moment');
    if (!failed && failing) log.info('relay: sees again what is due');
    failing = failed !== undefined;
  };

  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let running = Promise.resolve();
  const tickThenPause = async () => {
    await tick();
    // The next look is a pause after the end of this one, so that looks never overlap.
    if (!stopped) timer = setTimeout(loop, limits.relayTickMs);
  };
  const loop = () => {
    running = tickThenPause();
  };
  return {
    tick,
    start: loop,
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      await running;
    },
  };
}

/** Runs the work for each item, so many at once. A failure of one is not the others'. */
async function eachBounded<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const lanes = Array.from({ length: Math.min(items.length, limits.jobsConcurrencyCount) }, async () => {
    for (const item of rest) await work(item).catch(() => undefined);
  });
  await Promise.all(lanes);
}
