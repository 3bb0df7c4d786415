// The audit log: who did what to the engine, append-only, each line with the hash of the one before, so that a line
// that was changed or taken out shows. Lines of one process are written one after the other; two processes that
// write at once race for the next number, and the loser takes the one after.
import { createHash } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import { collectionOf, type MongoConnection, isDuplicateKey } from '../platform/mongo.ts';

export const auditOutcomes = ['done', 'refused', 'failed'] as const;

export interface AuditEntry {
  /** The admin's name, or the buyer's id where a buyer tried. */
  readonly who: string;
  /** The procedure. */
  readonly what: string;
  readonly outcome: (typeof auditOutcomes)[number];
  /** What it was done to: a drop's, an order's or a product's id. Never personal data. */
  readonly target: string | null;
}

const lineSchema = z.object({
  _id: z.int(),
  atMs: z.number(),
  who: z.string(),
  what: z.string(),
  outcome: z.enum(auditOutcomes),
  target: z.string().nullable(),
  before: z.string(),
  hash: z.string(),
});
export type AuditLine = Omit<z.infer<typeof lineSchema>, '_id'> & { readonly seq: number };

/** Each that is given must be so. */
export interface AuditQuery {
  readonly limit: number;
  readonly beforeSeq?: number | undefined;
  readonly who?: string | undefined;
  /** A procedure, or the beginning of its name up to a dot: `admin.drop` is all that was done to drops. */
  readonly what?: string | undefined;
  readonly outcome?: AuditEntry['outcome'] | undefined;
  readonly target?: string | undefined;
}

export interface AuditLog {
  /** Writes a line in the background. A line that cannot be written is logged as an error, with its content. */
  append(entry: AuditEntry): void;
  ensureIndexes(): Promise<void>;
  /** Newest first, from before `beforeSeq`. */
  list(options: AuditQuery): Promise<AuditLine[]>;
  /** Resolves once everything that was appended is written. */
  settled(): Promise<void>;
}

const triesMax = 50;
/** Who floods the engine with refused calls fills the log no faster than this many lines at a time. */
const waitingMax = 1_000;

export function createAuditLog(options: {
  connection: MongoConnection;
  clock: Clock;
  log: Logger;
}): AuditLog {
  const { clock, log } = options;
  const lines = collectionOf<z.infer<typeof lineSchema>>(options.connection, 'audit');
  let waitingCount = 0;
  let tail = Promise.resolve();

  const write = async (entry: AuditEntry) => {
    for (let tries = 0; tries < triesMax; tries += 1) {
      const last = await lines.findOne({}, { sort: { _id: -1 } });
      const before = last?.hash ?? '';
      const seq = (last?._id ?? -1) + 1;
      const line = { atMs: clock.now(), ...entry, before };
      try {
        await lines.insertOne({ _id: seq, ...line, hash: hashOf(seq, line) });
        return;
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
      }
    }
    throw new Error(`the audit log was contended for ${triesMax} tries`);
  };

  return {
    append(entry) {
      if (waitingCount >= waitingMax) {
        log.error({ entry }, 'the audit log is too far behind; a line is kept here only');
        return;
      }
      waitingCount += 1;
      tail = tail
        .then(() => write(entry))
        .catch((error: unknown) => log.error({ err: error, entry }, 'an audit line could not be written'))
        .finally(() => {
          waitingCount -= 1;
        });
    },
    async ensureIndexes() {
      // What is looked for: all that was done to one thing, by one person, or that was refused.
      await lines.createIndexes([
        { key: { target: 1, _id: -1 } },
        { key: { who: 1, _id: -1 } },
        { key: { what: 1, _id: -1 } },
        { key: { outcome: 1, _id: -1 } },
      ]);
    },
    async list({ limit, beforeSeq, who, what, outcome, target }) {
      const filter = {
        ...(beforeSeq === undefined ? {} : { _id: { $lt: beforeSeq } }),
        ...(who === undefined ? {} : { who }),
        // `/` is what follows the dot: the range holds every name under this one.
        ...(what === undefined ? {} : { $or: [{ what }, { what: { $gte: `${what}.`, $lt: `${what}/` } }] }),
        ...(outcome === undefined ? {} : { outcome }),
        ...(target === undefined ? {} : { target }),
      };
      const found = await lines.find(filter).sort({ _id: -1 }).limit(limit).toArray();
      return found.map(line => {
        const { _id: seq, ...rest } = lineSchema.parse(line);
        return { seq, ...rest };
      });
    },
    settled: () => tail,
  };
}

function hashOf(seq: number, line: Omit<AuditLine, 'seq' | 'hash'>): string {
  const { before, atMs, who, what, outcome, target } = line;
  return createHash('sha256')
    .update(JSON.stringify([before, seq, atMs, who, what, outcome, target]))
    .digest('hex');
}
