// Searches whose first results the shop has chosen. MongoDB is their truth; they go along with the search that they are
// for, and so belong to no index. Each process holds them all, and reads them again after a second.
import type { Logger } from 'pino';
import { z } from 'zod';
import { type ProductId, productIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import { type Pins, pinnedTextOf } from './search.rules.ts';

export interface ChosenRule extends Pins {
  /** As it is compared: lower case, without accents and signs. */
  readonly text: string;
}

export interface ChosenResults {
  /** Null where nothing was chosen. Never rejects: while MongoDB is away, what was known goes on. */
  of(text: string): Promise<Pins | null>;
  list(): Promise<ChosenRule[]>;
  put(rule: {
    text: string;
    pinned: readonly ProductId[];
    hidden: readonly ProductId[];
  }): Promise<'put' | 'full'>;
  /** False where there was none. */
  remove(text: string): Promise<boolean>;
}

const documentSchema = z.object({
  _id: z.string(),
  pinned: z.array(productIdSchema),
  hidden: z.array(productIdSchema),
});
type PinsDocument = z.infer<typeof documentSchema>;

export function createChosenResults(deps: {
  connection: MongoConnection;
  log: Logger;
  /** Milliseconds of a clock that never steps. */
  now?: () => number;
}): ChosenResults {
  const { log, now = () => performance.now() } = deps;
  const collection = collectionOf<PinsDocument>(deps.connection, 'chosenresults');
  let known = new Map<string, Pins>();
  let readAtMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;

  async function list(): Promise<ChosenRule[]> {
    const found = await collection.find().sort({ _id: 1 }).limit(limits.pinRulesCount).toArray();
    return found.map(document => {
      const { _id: text, pinned, hidden } = documentSchema.parse(document);
      return { text, pinned, hidden };
    });
  }

  async function readAgain(): Promise<void> {
    try {
      known = new Map((await list()).map(({ text, pinned, hidden }) => [text, { pinned, hidden }]));
    } catch (error) {
      log.warn({ err: error }, 'search: what the shop chose could not be read: what was known goes on');
    }
    readAtMs = now();
  }

  return {
    async of(text) {
      if (now() - readAtMs >= limits.pinsTtlMs) {
        reading ??= readAgain().finally(() => {
          reading = undefined;
        });
        await reading;
      }
      return known.get(pinnedTextOf(text)) ?? null;
    },
    list,
    async put({ text, pinned, hidden }) {
      const _id = pinnedTextOf(text);
      if (!(await collection.findOne({ _id })) && (await collection.countDocuments()) >= limits.pinRulesCount)
        return 'full';
      await collection.replaceOne({ _id }, { pinned: [...pinned], hidden: [...hidden] }, { upsert: true });
      readAtMs = Number.NEGATIVE_INFINITY;
      return 'put';
    },
    async remove(text) {
      const { deletedCount } = await collection.deleteOne({ _id: pinnedTextOf(text) });
      readAtMs = Number.NEGATIVE_INFINITY;
      return deletedCount > 0;
    },
  };
}
