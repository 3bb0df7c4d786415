// How many units of a drop each card has paid for, or is about to: one document for each card and drop, in MongoDB, so
// that no loss of Redis forgets it. Each change is one compare-and-set on that document; an order counts once.
import { z } from 'zod';
import type { DropId, OrderId } from '../ids.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const documentSchema = z.object({
  /** `drop/card` */
  _id: z.string(),
  /** The sum of what its takers count. */
  used: z.int(),
  takers: z.array(z.object({ order: z.string(), units: z.int() })),
  /** Counts the changes. */
  rev: z.int(),
  /** What has not been used for so long is deleted by MongoDB. */
  usedAt: z.date(),
});
type CardDocument = z.infer<typeof documentSchema>;

export interface CountedCard {
  readonly dropId: DropId;
  /** Its keyed hash. */
  readonly card: string;
  readonly orderId: OrderId;
}

export interface CardsStore {
  ensureIndexes(): Promise<void>;
  /** Counts an order's units, unless the card would have more than `max`; again for the same order counts nothing more. */
  take(request: CountedCard & { unitsCount: number; max: number }): Promise<'counted' | 'over'>;
  /** From here on the order counts for at most so many units. */
  keepAtMost(request: CountedCard & { unitsCount: number }): Promise<void>;
  /** What the order counts for stays counted, and is nobody's any more. */
  forget(request: CountedCard): Promise<void>;
}

/** Long after a drop: by then refunds that could give something back are over. */
const forgottenAfterSeconds = 90 * 24 * 60 * 60;
const erasedOrder = 'erased';

export function createCardsStore(connection: MongoConnection): CardsStore {
  const cards = collectionOf<CardDocument>(connection, 'cards');
  const find = async (_id: string) => {
    const found = await cards.findOne({ _id });
    return found ? documentSchema.parse(found) : null;
  };

  /** Replaces what an order counts for, where it counts; repeated until no other change came between. */
  const change = async (
    { dropId, card, orderId }: CountedCard,
    next: (units: number) => { order: string; units: number } | 'as-it-is',
  ) => {
    const _id = `${dropId}/${card}`;
    while (true) {
      const found = await find(_id);
      const own = found?.takers.find(taker => taker.order === orderId);
      if (!found || !own) return;
      const changed = next(own.units);
      if (changed === 'as-it-is') return;
      const takers = [
        ...found.takers.filter(taker => taker !== own),
        ...(changed.units > 0 ? [changed] : []),
      ];
      const used = takers.reduce((sum, { units }) => sum + units, 0);
      const { modifiedCount } = await cards.updateOne(
        { _id, rev: found.rev },
        { $set: { takers, used }, $inc: { rev: 1 } },
      );
      if (modifiedCount === 1) return;
    }
  };

  return {
    async ensureIndexes() {
      await cards.createIndexes([{ key: { usedAt: 1 }, expireAfterSeconds: forgottenAfterSeconds }]);
    },
    async take({ dropId, card, orderId, unitsCount, max }) {
      const _id = `${dropId}/${card}`;
      while (true) {
        const { modifiedCount } = await cards.updateOne(
          { _id, used: { $lte: max - unitsCount }, 'takers.order': { $ne: orderId } },
          {
            $inc: { used: unitsCount, rev: 1 },
            $push: { takers: { order: orderId, units: unitsCount } },
            $set: { usedAt: new Date() },
          },
        );
        if (modifiedCount === 1) return 'counted';
        const found = await find(_id);
        if (found) {
          if (found.takers.some(taker => taker.order === orderId)) return 'counted';
          if (found.used > max - unitsCount) return 'over';
          // Units came back between the two: try again.
          continue;
        }
        await cards
          .insertOne({ _id, used: 0, takers: [], rev: 0, usedAt: new Date() })
          .catch((error: unknown) => {
            if (!isDuplicateKey(error)) throw error;
          });
      }
    },
    keepAtMost: ({ unitsCount, ...counted }) =>
      change(counted, units =>
        units <= unitsCount ? 'as-it-is' : { order: counted.orderId, units: unitsCount },
      ),
    forget: counted => change(counted, units => ({ order: erasedOrder, units })),
  };
}
