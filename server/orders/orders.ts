// Orders, for everybody else: read, changed by compare-and-set, watched. Every change of status is announced, and
// says when the next step is due, so that another process can go on where this one dies.
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId, OrderId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Metrics } from '../platform/telemetry.ts';
import type { Order } from './order.ts';
import type { OrderEvents } from './order-events.ts';
import { retryPauseMs, type OrderStatus } from './order.rules.ts';
import type {
  OrderChange,
  OrderCondition,
  OrderHold,
  OrderPage,
  OrdersStore,
  StatusSum,
  DueOrder,
} from './order.store.ts';

export type { DueOrder, OrderChange, OrderCondition, OrderHold, OrderPage, StatusSum };

export type CancelOutcome =
  | { kind: 'cancelling'; status: OrderStatus }
  | { kind: 'refused'; status: OrderStatus };
export type FulfilOutcome = { kind: 'fulfilled' } | { kind: 'refused'; status: OrderStatus };

export interface MoveRequest {
  readonly orderId: OrderId;
  readonly from: readonly OrderStatus[];
  readonly to: OrderStatus;
  readonly set?: OrderChange;
  readonly where?: OrderCondition;
}

export interface Orders {
  insert(order: Order): Promise<boolean>;
  find(orderId: OrderId): Promise<Order | null>;
  findAll(orderIds: readonly OrderId[]): Promise<Map<OrderId, Order>>;
  findByPayment(paymentId: string): Promise<Order | null>;
  /** The buyer's own order; another's is as absent as one that never was. */
  ofBuyer(orderId: OrderId, buyerId: BuyerId): Promise<Order>;
  list(page: OrderPage): Promise<Order[]>;
  move(request: MoveRequest): Promise<Order | null>;
  edit(request: Omit<MoveRequest, 'to' | 'set'> & { set: OrderChange }): Promise<Order | null>;
  retryLater(order: Order): Promise<void>;
  /** The step could not even be tried: it is due again after a pause, and no try is counted. */
  putOff(order: Order, pauseMs: number): Promise<void>;
  addDecline(orderId: OrderId, eventId: string): Promise<Order | null>;
  listDue(limit: number): Promise<DueOrder[]>;
  sumsOfDrop(dropId: DropId): Promise<StatusSum[]>;
  /** Every order of a drop, as far as its hold follows from it. */
  holdsOfDrop(dropId: DropId): AsyncIterable<OrderHold[]>;
  /** How many orders of a drop may still change what is sold. */
  countUnderWay(dropId: DropId): Promise<number>;
  countsOfDrop(dropId: DropId): Promise<Record<OrderStatus, number>>;
  /** The order now, then after each change of its status, until the signal. */
  watch(
    orderId: OrderId,
    buyerId: BuyerId,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<Order, void, void>;
  cancel(orderId: OrderId): Promise<CancelOutcome>;
  fulfil(orderId: OrderId): Promise<FulfilOutcome>;
}

export function createOrders(deps: {
  store: OrdersStore;
  events: OrderEvents;
  clock: { now(): number };
  /** Asks for a job that takes the order further; must not throw. */
  wake: (order: Order) => void;
  metrics: Metrics;
}): Orders {
  const { store, events, clock, wake, metrics } = deps;

  const move: Orders['move'] = async request => {
    const atMs = clock.now();
    const { to, set } = request;
    // Whoever moved it goes on at once; after the lease another may.
    const dueAtMs = nothingFollows(to) ? {} : { dueAtMs: atMs + limits.stepLeaseMs };
    const moved = await store.move({ ...request, atMs, set: { ...dueAtMs, ...set } });
    if (moved) {
      metrics.outcomes.inc({ what: 'order', kind: to });
      events.publish(moved.orderId);
    }
    return moved;
  };
  const ofBuyer: Orders['ofBuyer'] = async (orderId, buyerId) => {
    const order = await store.find(orderId);
    if (!order || order.buyerId !== buyerId) throw noSuchOrder();
    return order;
  };

  return {
    insert: order => store.insert(order),
    find: orderId => store.find(orderId),
    findAll: orderIds => store.findAll(orderIds),
    findByPayment: paymentId => store.findByPayment(paymentId),
    ofBuyer,
    list: page => store.list(page),
    move,
    edit: request => store.edit(request),
    retryLater: order =>
      store.retryLater(
        order.orderId,
        order.rev,
        clock.now() + retryPauseMs(order.attempts, limits.stepRetryMs),
      ),
    async putOff({ orderId, status, rev }, pauseMs) {
      await store.edit({ orderId, from: [status], set: { dueAtMs: clock.now() + pauseMs }, where: { rev } });
    },
    addDecline: (orderId, eventId) => store.addDecline(orderId, eventId),
    listDue: limit => store.listDue(clock.now(), limit),
    sumsOfDrop: dropId => store.sumsOfDrop(dropId),
    holdsOfDrop: dropId => store.holdsOfDrop(dropId),
    countUnderWay: dropId => store.countUnderWay(dropId),
    countsOfDrop: dropId => store.countsOfDrop(dropId),
    watch: (orderId, buyerId, signal) => watchOrder({ orderId, buyerId, signal, ofBuyer, events }),

    async cancel(orderId) {
      const closing = await move({
        orderId,
        from: ['pending'],
        to: 'closing',
        set: { reason: 'cancelled-by-shop', dueAtMs: clock.now() },
      });
      if (closing) wake(closing);
      const order = closing ?? (await store.find(orderId));
      if (!order) throw noSuchOrder();
      const { status } = order;
      const onItsWay =
        status === 'closing' || status === 'cancelling' || status === 'cancelled' || status === 'expired';
      return { kind: onItsWay ? 'cancelling' : 'refused', status };
    },
    async fulfil(orderId) {
      const fulfilled = await move({ orderId, from: ['paid'], to: 'fulfilled' });
      const order = fulfilled ?? (await store.find(orderId));
      if (!order) throw noSuchOrder();
      return order.status === 'fulfilled' ? { kind: 'fulfilled' } : { kind: 'refused', status: order.status };
    },
  };
}

/** What the shop does with a paid order leaves due whatever is still due of the payment. */
function nothingFollows(status: OrderStatus): boolean {
  return status === 'fulfilled' || status === 'refunded';
}

function noSuchOrder(): PublicError {
  return new PublicError('not-found', 'There is no such order');
}

async function* watchOrder(options: {
  orderId: OrderId;
  buyerId: BuyerId;
  signal: AbortSignal | undefined;
  ofBuyer: Orders['ofBuyer'];
  events: OrderEvents;
}): AsyncGenerator<Order, void, void> {
  const { orderId, buyerId, signal, ofBuyer, events } = options;
  let news = false;
  let wakeUp = () => {};
  const onNews = () => {
    news = true;
    wakeUp();
  };
  // Listening begins before the first look, so that no change falls between the two.
  const stop = events.listen(orderId, onNews);
  signal?.addEventListener('abort', onNews);
  try {
    let seenRev = -1;
    const isOver = () => signal?.aborted ?? false;
    while (!isOver()) {
      news = false;
      // Once it has been shown, a look that fails (MongoDB is away for a moment) is made again, not passed on.
      const order = await ofBuyer(orderId, buyerId).catch((error: unknown) => {
        if (seenRev < 0) throw error;
        return null;
      });
      if (order && order.rev !== seenRev) {
        seenRev = order.rev;
        yield order;
      }
      // The pause bounds how long a lost announcement can hide a change.
      if (!news) {
        await new Promise<void>(resolve => {
          const timer = setTimeout(resolve, limits.watchHeartbeatMs);
          wakeUp = () => {
            clearTimeout(timer);
            resolve();
          };
          if (news || isOver()) wakeUp();
        });
      }
    }
  } finally {
    stop();
    signal?.removeEventListener('abort', onNews);
  }
}
