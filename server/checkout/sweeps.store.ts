// How far each sweep over Stripe has come, in MongoDB: any process may go on where another stopped. A lease keeps two
// from doing the same at once; if both do all the same, nothing is done twice, since what they find is applied once.
import { z } from 'zod';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

export type SweepName = 'events' | 'payments';

const progressSchema = z.object({
  /** All that was created up to this second has been seen; null before the first pass has ended. */
  seenToSec: z.int().nullable(),
  /** When the last pass began. */
  beganAtMs: z.number(),
  /** The pass that is under way: from the newest down to `fromSec`, so far to the object `after`. */
  pass: z.object({ fromSec: z.int(), untilSec: z.int().nullable(), after: z.string().nullable() }).nullable(),
});
export type SweepProgress = z.infer<typeof progressSchema>;

const documentSchema = progressSchema.extend({
  _id: z.string(),
  owner: z.string().nullable(),
  leaseUntilMs: z.number(),
});

export interface SweepsStore {
  /** The sweep's progress, and nobody else's until the lease ends; null while another process is at it. */
  take(lease: {
    name: SweepName;
    owner: string;
    nowMs: number;
    untilMs: number;
  }): Promise<SweepProgress | null>;
  /** False where the lease went to somebody else meanwhile; then nothing is written. */
  save(sweep: { name: SweepName; owner: string; progress: SweepProgress; untilMs: number }): Promise<boolean>;
}

export function createSweepsStore(connection: MongoConnection): SweepsStore {
  const sweeps = collectionOf<z.infer<typeof documentSchema>>(connection, 'sweeps');
  return {
    async take({ name, owner, nowMs, untilMs }) {
      const taken = await sweeps.findOneAndUpdate(
        { _id: name, leaseUntilMs: { $lte: nowMs } },
        { $set: { owner, leaseUntilMs: untilMs } },
        { returnDocument: 'after' },
      );
      if (taken) return progressSchema.parse(taken);
      const first: SweepProgress = { seenToSec: null, beganAtMs: 0, pass: null };
      try {
        await sweeps.insertOne({ _id: name, owner, leaseUntilMs: untilMs, ...first });
        return first;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        return null;
      }
    },
    async save({ name, owner, progress, untilMs }) {
      const { matchedCount } = await sweeps.updateOne(
        { _id: name, owner },
        { $set: { ...progress, leaseUntilMs: untilMs } },
      );
      return matchedCount === 1;
    },
  };
}
