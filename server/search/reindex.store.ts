// How far a reindex has come, and who is at it, in MongoDB: so that there is one at a time, and one that was killed is
// taken up by the next where it stopped.
import { Schema } from 'mongoose';
import type { ProductId } from '../ids.ts';
import { isDuplicateKey, type MongoConnection } from '../platform/mongo.ts';

export interface ReindexState {
  /** Who is at it; also the name under which it claims products. */
  readonly by: string;
  /** The collection that is being filled; empty before there is one. */
  readonly filling: string;
  /** Everything up to this product is in it; empty before the first. */
  readonly after: ProductId | '';
  readonly copiedCount: number;
}

interface ReindexDocument extends ReindexState {
  _id: 'products';
  untilMs: number;
}

const schema = new Schema<ReindexDocument>(
  {
    _id: { type: String, required: true },
    by: { type: String, required: true },
    filling: { type: String, default: '' },
    after: { type: String, default: '' },
    copiedCount: { type: Number, default: 0 },
    untilMs: { type: Number, required: true },
  },
  { collection: 'reindex', versionKey: false },
);

export type ReindexStore = ReturnType<typeof createReindexStore>;

export function createReindexStore(connection: MongoConnection) {
  const model = connection.model('Reindex', schema);
  return {
    /**
     * Takes the lease for `by`. `before` is what an earlier one left unfinished; `taken`: somebody is at it, until then
     * unless it goes on.
     */
    async begin(lease: {
      by: string;
      nowMs: number;
      untilMs: number;
    }): Promise<{ kind: 'begun'; before: ReindexState | null } | { kind: 'taken'; untilMs: number }> {
      try {
        const before = await model
          .findOneAndUpdate(
            { _id: 'products', untilMs: { $lte: lease.nowMs } },
            { $set: { by: lease.by, untilMs: lease.untilMs } },
            { upsert: true, returnDocument: 'before' },
          )
          .lean<ReindexDocument>();
        return { kind: 'begun', before };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const other = await model.findOne({ _id: 'products' }).lean<ReindexDocument>();
        return { kind: 'taken', untilMs: other?.untilMs ?? 0 };
      }
    },

    /** Keeps the lease; false where it is no longer this one's. */
    async renew(by: string, untilMs: number): Promise<boolean> {
      const result = await model.updateOne({ _id: 'products', by }, { $set: { untilMs } });
      return result.matchedCount > 0;
    },

    /** Notes how far it is, and keeps the lease; false where it is no longer this one's. */
    async advance(state: ReindexState, untilMs: number): Promise<boolean> {
      const { by, ...progress } = state;
      const result = await model.updateOne({ _id: 'products', by }, { $set: { ...progress, untilMs } });
      return result.matchedCount > 0;
    },

    /** Gives the lease back, and with it what was noted where the reindex is finished. */
    async end(by: string, options: { isFinished: boolean }): Promise<void> {
      if (options.isFinished) await model.deleteOne({ _id: 'products', by });
      else await model.updateOne({ _id: 'products', by }, { $set: { untilMs: 0 } });
    },
  };
}
