// Stripe's events as they came, in MongoDB: stored before they are acknowledged, worked off afterwards, each once.
import { z } from 'zod';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const documentSchema = z.object({
  _id: z.string(),
  type: z.string(),
  /** The verified body, word for word. */
  raw: z.string(),
  /** The payment that it is about: a buyer's data are found by it. */
  paymentId: z.string().nullable().default(null),
  receivedAtMs: z.number(),
  doneAtMs: z.number().nullable(),
  outcome: z.string().nullable(),
  /** The outbox: null once it is done. */
  dueAtMs: z.number().nullable(),
  attempts: z.int(),
});
type EventDocument = z.infer<typeof documentSchema>;

export interface StoredEvent {
  readonly eventId: string;
  readonly type: string;
  readonly raw: string;
  readonly doneAtMs: number | null;
  readonly attempts: number;
}

export interface DueEvent {
  readonly eventId: string;
  readonly attempts: number;
  readonly dueAtMs: number;
}

export interface EventsStore {
  ensureIndexes(): Promise<void>;
  /** False where the event is stored already. */
  insert(event: {
    eventId: string;
    type: string;
    raw: string;
    paymentId: string | null;
    receivedAtMs: number;
    dueAtMs: number;
  }): Promise<boolean>;
  find(eventId: string): Promise<StoredEvent | null>;
  /** Those of these events that are stored. */
  known(eventIds: readonly string[]): Promise<Set<string>>;
  done(eventId: string, outcome: string, atMs: number): Promise<void>;
  retryLater(eventId: string, dueAtMs: number): Promise<void>;
  listDue(nowMs: number, limit: number): Promise<DueEvent[]>;
  /** Empties the bodies of what is done about these payments: cards' holders and addresses stand in them. */
  forget(paymentIds: readonly string[]): Promise<void>;
}

const dueSchema = z.object({ _id: z.string(), attempts: z.int(), dueAtMs: z.number() });

export function createEventsStore(connection: MongoConnection): EventsStore {
  const events = collectionOf<EventDocument>(connection, 'stripeEvents');
  return {
    async ensureIndexes() {
      await events.createIndexes([
        { key: { dueAtMs: 1 }, partialFilterExpression: { dueAtMs: { $gt: 0 } } },
        { key: { paymentId: 1 }, partialFilterExpression: { paymentId: { $gt: '' } } },
      ]);
    },
    async insert({ eventId, type, raw, paymentId, receivedAtMs, dueAtMs }) {
      try {
        await events.insertOne({
          _id: eventId,
          type,
          raw,
          paymentId,
          receivedAtMs,
          doneAtMs: null,
          outcome: null,
          dueAtMs,
          attempts: 0,
        });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async find(eventId) {
      const found = await events.findOne({ _id: eventId });
      if (!found) return null;
      const { _id, type, raw, doneAtMs, attempts } = documentSchema.parse(found);
      return { eventId: _id, type, raw, doneAtMs, attempts };
    },
    async known(eventIds) {
      const found = await events.find({ _id: { $in: [...eventIds] } }, { projection: { _id: 1 } }).toArray();
      return new Set(found.map(({ _id }) => _id));
    },
    async done(eventId, outcome, atMs) {
      await events.updateOne(
        { _id: eventId, doneAtMs: null },
        { $set: { doneAtMs: atMs, outcome, dueAtMs: null } },
      );
    },
    async retryLater(eventId, dueAtMs) {
      await events.updateOne({ _id: eventId, doneAtMs: null }, { $set: { dueAtMs }, $inc: { attempts: 1 } });
    },
    async forget(paymentIds) {
      await events.updateMany(
        { paymentId: { $in: [...paymentIds] }, doneAtMs: { $ne: null } },
        { $set: { raw: '' } },
      );
    },
    async listDue(nowMs, limit) {
      const found = await events
        .find({ dueAtMs: { $gt: 0, $lte: nowMs } }, { projection: { attempts: 1, dueAtMs: 1 } })
        .sort({ dueAtMs: 1 })
        .limit(limit)
        .toArray();
      return found.map(document => {
        const { _id, ...due } = dueSchema.parse(document);
        return { eventId: _id, ...due };
      });
    },
  };
}
