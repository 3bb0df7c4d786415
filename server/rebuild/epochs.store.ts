// What MongoDB keeps of a running drop so that it outlives Redis: the number of its epoch, how far arrivals may go, and
// what an operator did to it. One document for each drop; exactly one process wins each new epoch.
import { z } from 'zod';
import { dropIdSchema, type DropId } from '../ids.ts';
import { lanes, type Lane } from '../drops/drop.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const marksSchema = z.object({ general: z.int(), priority: z.int(), late: z.int() });

const documentSchema = z.object({
  _id: dropIdSchema,
  epoch: z.int(),
  /** No arrival of a lane at or above its mark was ever given. */
  marks: marksSchema,
  /** Set where an operator opened the drop early. */
  opensAtMs: z.number().nullable(),
  paused: z.boolean(),
  closed: z.boolean(),
});
type EpochDocument = z.infer<typeof documentSchema>;

export type Marks = Readonly<Record<Lane, number>>;
export type Epoch = Omit<EpochDocument, '_id'>;
/** What an operator did that Redis alone knew otherwise. */
export type Steered = Partial<Pick<Epoch, 'opensAtMs' | 'paused' | 'closed'>>;

export interface EpochsStore {
  /** The drop's record; made, with these marks, where there is none. */
  ensure(dropId: DropId, marks: Marks): Promise<Epoch>;
  /** Begins the epoch after this one; false where somebody else has. */
  next(dropId: DropId, after: number): Promise<boolean>;
  /** Raises marks, never lowers them; answers with those that stand. */
  raise(dropId: DropId, marks: Marks): Promise<Marks>;
  note(dropId: DropId, steered: Steered): Promise<void>;
}

export function createEpochsStore(connection: MongoConnection): EpochsStore {
  const epochs = collectionOf<EpochDocument>(connection, 'epochs');
  const read = (document: unknown): Epoch => {
    const { _id, ...epoch } = documentSchema.parse(document);
    return epoch;
  };
  const ensure: EpochsStore['ensure'] = async (dropId, marks) => {
    const standing = await epochs.findOne({ _id: dropId });
    if (standing) return read(standing);
    const first = { epoch: 1, marks: { ...marks }, opensAtMs: null, paused: false, closed: false };
    try {
      await epochs.insertOne({ _id: dropId, ...first });
      return first;
    } catch (error) {
      if (!isDuplicateKey(error)) throw error;
      return read(await epochs.findOne({ _id: dropId }));
    }
  };
  return {
    ensure,
    async next(dropId, after) {
      const { modifiedCount } = await epochs.updateOne(
        { _id: dropId, epoch: after },
        { $set: { epoch: after + 1 } },
      );
      return modifiedCount === 1;
    },
    async raise(dropId, marks) {
      await ensure(dropId, marks);
      const raised = await epochs.findOneAndUpdate(
        { _id: dropId },
        { $max: Object.fromEntries(lanes.map(lane => [`marks.${lane}`, marks[lane]])) },
        { returnDocument: 'after' },
      );
      return read(raised).marks;
    },
    async note(dropId, steered) {
      await epochs.updateOne({ _id: dropId }, { $set: steered });
    },
  };
}
