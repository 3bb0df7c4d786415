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
  /** One look, and the end of what it did itself. Never throws. */
  tick(): Promise<void>;
  start(): void;
  /** Ends after the present look and the steps that are under way. */
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
  const own = createOwnWork();

  /** What it takes on itself is not waited for: a step that hangs must not keep others from being asked for. */
  const relayEvents = async (): Promise<Promise<void>[]> => {
    const due = await events.listDue(clock.now(), limits.relayBatchCount);
    const asked = due.length === 0 || (await jobs.addEvents(due));
    return (asked ? due.filter(overdue) : due).map(({ eventId }) =>
      own.take(eventId, () => applyEvent(eventId)),
    );
  };
  const relayOrders = async (): Promise<Promise<void>[]> => {
    const due = await orders.listDue(limits.relayBatchCount);
    const asked = due.length === 0 || (await jobs.addOrders(due));
    return (asked ? due.filter(overdue) : due).map(({ orderId }) =>
      own.take(orderId, () => advance(orderId)),
    );
  };

  let failing = false;
  /** Answers with what it took on itself. */
  const look = async (): Promise<{ own: Promise<void>[] }> => {
    const results = await Promise.allSettled([relayEvents(), relayOrders()]);
    const failed = results.find(result => result.status === 'rejected');
    // Said once, not twice a second, while MongoDB is away.
    if (failed && !failing)
      log.warn({ err: failed.reason }, 'relay: what is due cannot be seen at the moment');
    if (!failed && failing) log.info('relay: sees again what is due');
    failing = failed !== undefined;
    return { own: results.flatMap(result => (result.status === 'fulfilled' ? result.value : [])) };
  };

  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let looking = Promise.resolve();
  const lookThenPause = async () => {
    await look();
    // The next look is a pause after the end of this one, so that looks never overlap.
    if (!stopped) timer = setTimeout(loop, limits.relayTickMs);
  };
  const loop = () => {
    looking = lookThenPause();
  };
  return {
    async tick() {
      const taken = await look();
      await Promise.all(taken.own);
    },
    start: loop,
    async stop() {
      stopped = true;
      if (timer) clearTimeout(timer);
      await looking;
      await own.close();
    },
  };
}

/** Work that the relay does itself: each piece once at a time, so many at once, the others in turn. */
function createOwnWork() {
  const known = new Map<string, Promise<void>>();
  const waiting: (() => void)[] = [];
  let running = 0;
  let closed = false;

  const turn = (): Promise<void> => {
    if (running < limits.jobsConcurrencyCount) {
      running += 1;
      return Promise.resolve();
    }
    return new Promise(resolve => waiting.push(resolve));
  };
  const run = async (work: () => Promise<unknown>): Promise<void> => {
    await turn();
    try {
      if (!closed) await work();
    } catch {
      // It stays due; whoever did it has said why it failed.
    }
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };
  return {
    /** Resolves when it is done, or has failed. */
    take(id: string, work: () => Promise<unknown>): Promise<void> {
      const taken = known.get(id) ?? run(work).finally(() => known.delete(id));
      known.set(id, taken);
      return taken;
    },
    /** What is under way ends, what waits for its turn is left to others. */
    async close(): Promise<void> {
      closed = true;
      await Promise.all(known.values());
    },
  };
}
