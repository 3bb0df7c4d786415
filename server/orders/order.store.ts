// Orders in MongoDB. Every change is one compare-and-set on one document, and a change of status must stand in the
// transition table: so races between the payment's news, the clock and the shop are settled here and nowhere else.
import type { mongo } from 'mongoose';
import { z } from 'zod';
import { orderIdSchema, type BuyerId, type DropId, type HoldId, type OrderId } from '../ids.ts';
import { batchesOf } from '../platform/mongo-batches.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';
import type { Contact, Order, UnitRef } from './order.ts';
import { orderSchema } from './order.ts';
import {
  endedUnpaid,
  mayMove,
  orderStatuses,
  wasPaid,
  type IntentStatus,
  type OrderReason,
  type OrderStatus,
} from './order.rules.ts';

const documentSchema = orderSchema.omit({ orderId: true }).extend({ _id: orderIdSchema });
type OrderDocument = z.infer<typeof documentSchema>;

/** What may be written besides a status. Absent fields stay as they are. */
export interface OrderChange {
  readonly reason?: OrderReason;
  readonly contact?: Contact;
  readonly quote?: Order['quote'];
  readonly serials?: readonly UnitRef[];
  readonly refundedAmount?: number;
  readonly refunds?: Order['refunds'];
  readonly refundsRev?: number;
  readonly settledAtMs?: number;
  readonly dispute?: Order['dispute'];
  readonly erasedAtMs?: number;
  readonly card?: string | null;
  readonly cardCountedAtMs?: number;
  readonly payDeadlineMs?: number;
  readonly dueAtMs?: number | null;
  readonly authorizedAtMs?: number;
  readonly paidAtMs?: number;
  readonly endedAtMs?: number;
  readonly releasedAtMs?: number;
  readonly intentStartedAtMs?: number;
  readonly intentId?: string;
  readonly intentStatus?: IntentStatus;
}

/** Further conditions of a change. */
export interface OrderCondition {
  /** Only while the ledger's serials are not written down: the claim and the giving-up exclude each other. */
  readonly unclaimed?: true;
  /** Only while its units are not counted against its card: the counting and the giving-up exclude each other. */
  readonly cardUncounted?: true;
  /** Only while this is the order's revision. */
  readonly rev?: number;
  /** Only while the refunds are those that were read. */
  readonly refundsRev?: number;
}

export interface DueOrder {
  readonly orderId: OrderId;
  readonly rev: number;
  readonly attempts: number;
  readonly dueAtMs: number;
}

export interface OrderPage {
  readonly buyerId?: BuyerId | undefined;
  readonly dropId?: DropId | undefined;
  readonly status?: OrderStatus | undefined;
  readonly holdId?: HoldId | undefined;
  readonly paymentId?: string | undefined;
  readonly before?: { readonly createdAtMs: number; readonly orderId: OrderId } | undefined;
  readonly limit: number;
}

/** What the orders of a drop in one status come to, in minor units. */
export interface StatusSum {
  readonly status: OrderStatus;
  readonly ordersCount: number;
  readonly unitsCount: number;
  readonly totalAmount: number;
  readonly refundedAmount: number;
}

export interface OrdersStore {
  ensureIndexes(): Promise<void>;
  /** False where an order of that id exists already; it is left as it is. */
  insert(order: Order): Promise<boolean>;
  find(orderId: OrderId): Promise<Order | null>;
  /** Those of these orders that there are. */
  findAll(orderIds: readonly OrderId[]): Promise<Map<OrderId, Order>>;
  /** The order of a payment. */
  findByPayment(paymentId: string): Promise<Order | null>;
  /** Moves an order that is in one of `from`; null where it is not, or not any more. */
  move(request: {
    orderId: OrderId;
    from: readonly OrderStatus[];
    to: OrderStatus;
    atMs: number;
    set?: OrderChange;
    where?: OrderCondition;
  }): Promise<Order | null>;
  /** Changes an order that is in one of `from`, and leaves its status. */
  edit(request: {
    orderId: OrderId;
    from: readonly OrderStatus[];
    set: OrderChange;
    where?: OrderCondition;
  }): Promise<Order | null>;
  /** A step failed: it is due again at `dueAtMs`, unless the order has moved on. */
  retryLater(orderId: OrderId, rev: number, dueAtMs: number): Promise<void>;
  /** Remembers a declined attempt by the event that told of it, once; answers with the order. */
  addDecline(orderId: OrderId, eventId: string): Promise<Order | null>;
  listDue(nowMs: number, limit: number): Promise<DueOrder[]>;
  list(page: OrderPage): Promise<Order[]>;
  /** Every order of a drop, some hundreds at once, by id: a key that never changes, so that none moves past the reading. */
  holdsOfDrop(dropId: DropId): AsyncIterable<OrderHold[]>;
  /** How many orders of a drop may still change what is sold: unpaid ones, and those with a step due. */
  countUnderWay(dropId: DropId): Promise<number>;
  /** Every order with this coupon that did not end unpaid. */
  usesOfCoupon(code: string): AsyncIterable<Pick<Order, 'holdId' | 'buyerId'> & { isPaid: boolean }>;
  sumsOfDrop(dropId: DropId): Promise<StatusSum[]>;
  /** How many orders of a drop are in each status; from the index alone. */
  countsOfDrop(dropId: DropId): Promise<Record<OrderStatus, number>>;
}

/** What an order says of its hold. */
export type OrderHold = Pick<
  Order,
  | 'orderId'
  | 'holdId'
  | 'buyerId'
  | 'status'
  | 'proposed'
  | 'payDeadlineMs'
  | 'createdAtMs'
  | 'paidAtMs'
  | 'dueAtMs'
  | 'quote'
  | 'serials'
  | 'refunds'
>;
const orderHoldFields = {
  holdId: true,
  buyerId: true,
  status: true,
  proposed: true,
  payDeadlineMs: true,
  createdAtMs: true,
  paidAtMs: true,
  dueAtMs: true,
  quote: true,
  serials: true,
  refunds: true,
} as const;
/** Decoded without a pause: some 10 ms of a process that serves others, too. */
const holdsBatchCount = 500;
const orderHoldSchema = documentSchema.pick({ _id: true, ...orderHoldFields });

const couponUseSchema = documentSchema.pick({ holdId: true, buyerId: true, status: true });
const dueSchema = z.object({ _id: orderIdSchema, rev: z.int(), attempts: z.int(), dueAtMs: z.number() });
const countsSchema = z.record(z.enum(orderStatuses), z.int());
const sumSchema = z.object({
  _id: orderSchema.shape.status,
  ordersCount: z.int(),
  unitsCount: z.int(),
  totalAmount: z.int(),
  refundedAmount: z.int(),
});

export function createOrdersStore(connection: MongoConnection): OrdersStore {
  const orders = collectionOf<OrderDocument>(connection, 'orders');
  const read = (document: unknown): Order => {
    const { _id, ...fields } = documentSchema.parse(document);
    return { orderId: _id, ...fields };
  };
  const change = async (filter: mongo.Filter<OrderDocument>, update: mongo.UpdateFilter<OrderDocument>) => {
    const changed = await orders.findOneAndUpdate(filter, update, { returnDocument: 'after' });
    return changed ? read(changed) : null;
  };

  return {
    async ensureIndexes() {
      await orders.createIndexes([
        // The outbox. Most orders have nothing due, so only those that have are in it.
        { key: { dueAtMs: 1 }, partialFilterExpression: { dueAtMs: { $gt: 0 } } },
        { key: { buyerId: 1, createdAtMs: -1, _id: -1 } },
        { key: { createdAtMs: -1, _id: -1 } },
        { key: { dropId: 1, status: 1 } },
        { key: { dropId: 1, _id: 1 } },
        { key: { holdId: 1 }, unique: true },
        { key: { 'quote.coupon': 1 }, partialFilterExpression: { 'quote.coupon': { $gt: '' } } },
        { key: { 'intent.id': 1 }, unique: true, partialFilterExpression: { 'intent.id': { $gt: '' } } },
      ]);
    },
    async insert(order) {
      const { orderId, ...fields } = order;
      try {
        await orders.insertOne({ _id: orderId, ...fields });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async find(orderId) {
      const found = await orders.findOne({ _id: orderId });
      return found ? read(found) : null;
    },
    async findAll(orderIds) {
      const found = await orders.find({ _id: { $in: [...orderIds] } }).toArray();
      return new Map(found.map(read).map(order => [order.orderId, order]));
    },
    async findByPayment(paymentId) {
      const found = await orders.findOne({ 'intent.id': paymentId });
      return found ? read(found) : null;
    },
    async move({ orderId, from, to, atMs, set = {}, where = {} }) {
      for (const status of from) {
        if (!mayMove(status, to)) throw new Error(`an order never goes from ${status} to ${to}`);
      }
      return change(filterOf(orderId, from, where), {
        $set: { ...fieldsOf(set), status: to, attempts: 0 },
        $inc: { rev: 1 },
        $push: { history: { status: to, atMs } },
      });
    },
    edit: ({ orderId, from, set, where = {} }) =>
      change(filterOf(orderId, from, where), { $set: fieldsOf(set) }),
    async retryLater(orderId, rev, dueAtMs) {
      await orders.updateOne({ _id: orderId, rev }, { $set: { dueAtMs }, $inc: { attempts: 1 } });
    },
    addDecline: (orderId, eventId) => change({ _id: orderId }, { $addToSet: { declines: eventId } }),
    async listDue(nowMs, limit) {
      const found = await orders
        .find({ dueAtMs: { $gt: 0, $lte: nowMs } }, { projection: { rev: 1, attempts: 1, dueAtMs: 1 } })
        .sort({ dueAtMs: 1 })
        .limit(limit)
        .toArray();
      return found.map(document => {
        const { _id, ...due } = dueSchema.parse(document);
        return { orderId: _id, ...due };
      });
    },
    async list({ buyerId, dropId, status, holdId, paymentId, before, limit }) {
      const filter: mongo.Filter<OrderDocument> = {
        ...(buyerId ? { buyerId } : {}),
        ...(dropId ? { dropId } : {}),
        ...(status ? { status } : {}),
        ...(holdId ? { holdId } : {}),
        ...(paymentId ? { 'intent.id': paymentId } : {}),
        ...(before
          ? {
              $or: [
                { createdAtMs: { $lt: before.createdAtMs } },
                { createdAtMs: before.createdAtMs, _id: { $lt: before.orderId } },
              ],
            }
          : {}),
      };
      const found = await orders.find(filter).sort({ createdAtMs: -1, _id: -1 }).limit(limit).toArray();
      return found.map(read);
    },
    async *holdsOfDrop(dropId) {
      const found = orders
        .find({ dropId }, { projection: orderHoldFields, batchSize: holdsBatchCount })
        .sort({ dropId: 1, _id: 1 });
      for await (const batch of batchesOf(found)) {
        yield batch.map(document => {
          const { _id, ...fields } = orderHoldSchema.parse(document);
          return { orderId: _id, ...fields };
        });
      }
    },
    async *usesOfCoupon(code) {
      const found = orders.find(
        { 'quote.coupon': code },
        { projection: { holdId: 1, buyerId: 1, status: 1 }, batchSize: 2_000 },
      );
      for await (const document of found) {
        const { status, ...use } = couponUseSchema.parse(document);
        if (!endedUnpaid(status)) yield { ...use, isPaid: wasPaid(status) };
      }
    },
    async countsOfDrop(dropId) {
      const counts = await Promise.all(
        orderStatuses.map(async status => [status, await orders.countDocuments({ dropId, status })] as const),
      );
      return countsSchema.parse(Object.fromEntries(counts));
    },
    countUnderWay: dropId =>
      orders.countDocuments({
        dropId,
        $or: [
          { status: { $in: ['pending', 'closing', 'authorized', 'cancelling'] } },
          { dueAtMs: { $gt: 0 } },
        ],
      }),
    async sumsOfDrop(dropId) {
      const rows = await orders
        .aggregate([
          { $match: { dropId } },
          {
            $group: {
              _id: '$status',
              ordersCount: { $sum: 1 },
              unitsCount: { $sum: { $size: '$serials' } },
              totalAmount: { $sum: '$quote.totalAmount' },
              refundedAmount: { $sum: '$refundedAmount' },
            },
          },
        ])
        .toArray();
      return rows.map(row => {
        const { _id, ...sums } = sumSchema.parse(row);
        return { status: _id, ...sums };
      });
    },
  };
}

function filterOf(
  orderId: OrderId,
  from: readonly OrderStatus[],
  where: OrderCondition,
): mongo.Filter<OrderDocument> {
  return {
    _id: orderId,
    status: { $in: [...from] },
    ...(where.unclaimed ? { 'serials.0': { $exists: false } } : {}),
    ...(where.cardUncounted ? { cardCountedAtMs: null } : {}),
    ...(where.rev === undefined ? {} : { rev: where.rev }),
    // An order from before there were refunds has no such field.
    ...(where.refundsRev === undefined
      ? {}
      : where.refundsRev === 0
        ? { $or: [{ refundsRev: 0 }, { refundsRev: { $exists: false } }] }
        : { refundsRev: where.refundsRev }),
  };
}

/** The intent's fields are written one by one: two writers of different fields must not undo each other. */
function fieldsOf(set: OrderChange): Record<string, unknown> {
  const { intentStartedAtMs, intentId, intentStatus, ...fields } = set;
  return {
    ...fields,
    ...(intentStartedAtMs === undefined ? {} : { 'intent.startedAtMs': intentStartedAtMs }),
    ...(intentId === undefined ? {} : { 'intent.id': intentId }),
    ...(intentStatus === undefined ? {} : { 'intent.status': intentStatus }),
  };
}
