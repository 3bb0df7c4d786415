// The orders and units of a drop as they stand in MongoDB, read past the stores that write them: who audits books does
// not ask the bookkeeper. Read-only.
import { z } from 'zod';
import type { DropId, Sku } from '../ids.ts';
import { refundRecordSchema, unitRefSchema } from '../orders/order.ts';
import { orderStatuses } from '../orders/order.rules.ts';
import { keptUnits } from '../orders/refund.rules.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';

const orderSchema = z.object({
  _id: z.string(),
  status: z.enum(orderStatuses),
  reason: z.string().nullable(),
  quote: z.object({
    currency: z.string(),
    totalAmount: z.int(),
    lines: z.array(z.object({ sku: z.string(), quantity: z.int() })),
  }),
  serials: z.array(unitRefSchema),
  refunds: z.array(refundRecordSchema).default([]),
  refundedAmount: z.int(),
  // Absent where there was nothing to pay: MongoDB projects no part of a null.
  intent: z
    .object({ id: z.string().nullable() })
    .nullish()
    .transform(intent => intent ?? null),
  payDeadlineMs: z.number().nullable(),
  dueAtMs: z.number().nullable(),
  paidAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  releasedAtMs: z.number().nullable(),
});
/** `serials` are those that it still has; `restocked` went back, or are about to. */
export type BookedOrder = Omit<z.infer<typeof orderSchema>, '_id' | 'refunds' | 'serials'> & {
  readonly orderId: string;
  readonly serials: readonly { readonly sku: string; readonly serial: number }[];
  readonly restocked: readonly { readonly sku: string; readonly serial: number }[];
};

const unitSchema = z.object({ sku: z.string(), serial: z.int(), order: z.string() });
/** A unit that an order owns. */
export type OwnedUnit = z.infer<typeof unitSchema>;

export interface ReportBooks {
  orders(dropId: DropId): Promise<BookedOrder[]>;
  ownedUnits(dropId: DropId): Promise<OwnedUnit[]>;
  countUnits(dropId: DropId, sku: Sku): Promise<number>;
}

export function createReportBooks(connection: MongoConnection): ReportBooks {
  const orders = collectionOf<{ _id: string; dropId: string }>(connection, 'orders');
  const units = collectionOf<{ _id: string; drop: string; sku: string; order: string | null }>(
    connection,
    'units',
  );
  return {
    async orders(dropId) {
      const projection = {
        status: 1,
        reason: 1,
        'quote.currency': 1,
        'quote.totalAmount': 1,
        'quote.lines': 1,
        serials: 1,
        refunds: 1,
        refundedAmount: 1,
        'intent.id': 1,
        payDeadlineMs: 1,
        dueAtMs: 1,
        paidAtMs: 1,
        endedAtMs: 1,
        releasedAtMs: 1,
      };
      const found = await orders.find({ dropId }, { projection }).toArray();
      return found.map(document => {
        const { _id, refunds, ...order } = orderSchema.parse(document);
        const serials = keptUnits({ serials: order.serials, refunds });
        const restocked = order.serials.filter(unit => !serials.includes(unit));
        return { orderId: _id, ...order, serials, restocked };
      });
    },
    async ownedUnits(dropId) {
      const projection = { sku: 1, serial: 1, order: 1 };
      const found = await units.find({ drop: dropId, order: { $gt: '' } }, { projection }).toArray();
      return found.map(document => unitSchema.parse(document));
    },
    countUnits: (dropId, sku) => units.countDocuments({ drop: dropId, sku }),
  };
}
