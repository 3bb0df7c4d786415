// The last check of the books that was asked for in the control room: one document, replaced by the next.
import { z } from 'zod';
import { auditedInvariants } from './finding.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';

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
  checked: z
    .object({
      drops: z.int(),
      orders: z.int(),
      units: z.int(),
      payments: z.int(),
      // A run from before holds were read has no such count.
      holds: z.int().default(0),
      calls: z.int(),
    })
    .nullable(),
  findings: z.array(
    z.object({
      invariant: z.literal(auditedInvariants),
      document: z.string(),
      what: z.string(),
    }),
  ),
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
        if (error instanceof Error && 'code' in error && error.code === 11_000) return false;
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
