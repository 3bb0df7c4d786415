// The public call log, in MongoDB: a hash chain of who was called when. A call takes effect only once it stands here,
// so no loss of Redis can call a rank twice or fork the log.
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { dropIdSchema, type DropId } from '../ids.ts';
import { lanes, type Drop } from '../drops/drop.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';
import type { Call } from './queue.store.ts';

const entrySchema = z.object({
  _id: z.string(),
  drop: dropIdSchema,
  seq: z.int(),
  atMs: z.number(),
  lane: z.enum(lanes),
  from: z.int(),
  to: z.int(),
  hash: z.string(),
});
type Entry = z.infer<typeof entrySchema>;
export type LoggedCall = Call & { readonly hash: string };

export interface CallLog {
  ensureIndexes(): Promise<void>;
  /** Writes the call at its place in the chain; the same call again changes nothing, another one there is refused. */
  append(
    drop: Pick<Drop, 'dropId' | 'seedHash'>,
    call: Call,
  ): Promise<{ kind: 'logged' } | { kind: 'taken'; call: Call }>;
  /** The newest call of a drop; null before the first. */
  last(dropId: DropId): Promise<LoggedCall | null>;
  /** All calls of a drop, in order. */
  read(dropId: DropId): AsyncIterable<LoggedCall>;
}

/** The hash that the first entry of a drop's chain follows. */
export function chainStart(drop: Pick<Drop, 'dropId' | 'seedHash'>): string {
  return sha256(`${drop.dropId}\n${drop.seedHash}`);
}

/** The hash of an entry: of the entry before it, and of everything that it says. */
export function chainHash(before: string, call: Call): string {
  return sha256([before, call.seq, call.atMs, call.lane, call.from, call.to].join('\n'));
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

export function createCallLog(connection: MongoConnection): CallLog {
  const calls = collectionOf<Entry>(connection, 'calls');
  const idOf = (dropId: DropId, seq: number) => `${dropId}/${seq}`;
  const read = (entry: Entry): LoggedCall => {
    const { _id, drop: _drop, ...call } = entrySchema.parse(entry);
    return call;
  };
  return {
    async ensureIndexes() {
      await calls.createIndexes([{ key: { drop: 1, seq: 1 }, unique: true }]);
    },
    async append(drop, call) {
      const _id = idOf(drop.dropId, call.seq);
      const before =
        call.seq === 0
          ? chainStart(drop)
          : (await calls.findOne({ _id: idOf(drop.dropId, call.seq - 1) }))?.hash;
      if (!before) throw new Error(`the call log of ${drop.dropId} has no entry ${call.seq - 1}`);
      const hash = chainHash(before, call);
      try {
        await calls.insertOne({ _id, drop: drop.dropId, ...call, hash });
        return { kind: 'logged' };
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        const standing = await calls.findOne({ _id });
        if (!standing) throw error;
        return standing.hash === hash ? { kind: 'logged' } : { kind: 'taken', call: read(standing) };
      }
    },
    async last(dropId) {
      const [entry] = await calls.find({ drop: dropId }).sort({ seq: -1 }).limit(1).toArray();
      return entry ? read(entry) : null;
    },
    async *read(dropId) {
      for await (const entry of calls.find({ drop: dropId }).sort({ seq: 1 })) yield read(entry);
    },
  };
}
