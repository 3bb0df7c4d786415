// Payments at Stripe whose order MongoDB does not have: money for goods of which nobody knows. Their drops stay paused.
import { z } from 'zod';
import { dropIdSchema, orderIdSchema, type DropId, type OrderId } from '../ids.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const documentSchema = z.object({
  /** The payment's. */
  _id: z.string(),
  dropId: dropIdSchema,
  orderId: orderIdSchema,
  seenAtMs: z.number(),
  /** When its order was back, or its money. */
  resolvedAtMs: z.number().nullable(),
});

export interface UnknownPayment {
  readonly paymentId: string;
  readonly dropId: DropId;
  readonly orderId: OrderId;
}

export interface UnknownPaymentsStore {
  ensureIndexes(): Promise<void>;
  /** False where it was written down before. */
  insert(payment: UnknownPayment & { seenAtMs: number }): Promise<boolean>;
  isKnown(paymentId: string): Promise<boolean>;
  unresolved(dropId: DropId): Promise<UnknownPayment[]>;
  resolve(paymentId: string, atMs: number): Promise<void>;
}

export function createUnknownPaymentsStore(connection: MongoConnection): UnknownPaymentsStore {
  const payments = collectionOf<z.infer<typeof documentSchema>>(connection, 'unknownPayments');
  return {
    async ensureIndexes() {
      await payments.createIndexes([{ key: { dropId: 1, resolvedAtMs: 1 } }]);
    },
    async insert({ paymentId, dropId, orderId, seenAtMs }) {
      try {
        await payments.insertOne({ _id: paymentId, dropId, orderId, seenAtMs, resolvedAtMs: null });
        return true;
      } catch (error) {
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async isKnown(paymentId) {
      return (await payments.findOne({ _id: paymentId }, { projection: { _id: 1 } })) !== null;
    },
    async unresolved(dropId) {
      const found = await payments.find({ dropId, resolvedAtMs: null }).limit(100).toArray();
      return found.map(document => {
        const { _id: paymentId, dropId: drop, orderId } = documentSchema.parse(document);
        return { paymentId, dropId: drop, orderId };
      });
    },
    async resolve(paymentId, atMs) {
      await payments.updateOne({ _id: paymentId, resolvedAtMs: null }, { $set: { resolvedAtMs: atMs } });
    },
  };
}
