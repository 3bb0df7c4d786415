// The last check of the books that was asked for in the control room: one document, replaced by the next.
import { z } from 'zod';
import { checkedSchema, findingSchema } from './finding.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

const underWay = ['waiting', 'running'] as const;
const ended = ['done', 'failed'] as const;
const runStates = [...underWay, ...ended] as const;

const runSchema = z.object({
  runId: z.string(),
  state: z.enum(runStates),
  askedBy: z.string(),
  askedAtMs: z.number(),
  startedAtMs: z.number().nullable(),
  endedAtMs: z.number().nullable(),
  /** Until then whoever does it will have said again that it lives. */
  aliveUntilMs: z.number(),
  look: z.int(),
  documentsRead: z.int(),
  /** What looks wrong so far and is looked at again. */
  suspicionsCount: z.int(),
  checked: checkedSchema.nullable(),
  findings: z.array(findingSchema),
  findingsCount: z.int(),
  failure: z.string().nullable(),
});
export type FindingsRun = z.infer<typeof runSchema>;
export type RunChange = Partial<Omit<FindingsRun, 'runId' | 'askedBy' | 'askedAtMs'>>;

export interface FindingsStore {
  /** False where another run is alive. */
  begin(run: FindingsRun): Promise<boolean>;
  /** False where the run is not the last one any more, or has ended. */
  change(runId: string, change: RunChange): Promise<boolean>;
  read(): Promise<FindingsRun | null>;
}

const only = 'latest';

export function createFindingsStore(connection: MongoConnection): FindingsStore {
  const runs = collectionOf<FindingsRun & { _id: string }>(connection, 'findings');
  return {
    async begin(run) {
      const isFree = {
        _id: only,
        $or: [{ state: { $in: ended } }, { aliveUntilMs: { $lt: run.askedAtMs } }],
      };
      try {
        const replaced = await runs.updateOne(isFree, { $set: run });
        if (replaced.matchedCount === 1) return true;
        await runs.insertOne({ _id: only, ...run });
        return true;
      } catch (error) {
        // One is there, and it is alive.
        if (isDuplicateKey(error)) return false;
        throw error;
      }
    },
    async change(runId, change) {
      const filter = { _id: only, runId, state: { $in: underWay } };
      return (await runs.updateOne(filter, { $set: change })).matchedCount === 1;
    },
    async read() {
      const found = await runs.findOne({ _id: only });
      return found ? runSchema.parse(found) : null;
    },
  };
}
