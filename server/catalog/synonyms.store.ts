// The shop's synonyms in MongoDB, a document for each rule.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import type { SynonymRule } from './synonyms.rules.ts';

const documentSchema = z.object({
  _id: z.string(),
  terms: z.array(z.string()),
  root: z.string().nullable(),
});
type SynonymDocument = z.infer<typeof documentSchema>;

export function createSynonyms(connection: MongoConnection) {
  const collection = collectionOf<SynonymDocument>(connection, 'synonyms');
  const ruleOf = (document: unknown): SynonymRule => {
    const { _id: id, terms, root } = documentSchema.parse(document);
    return { id, terms, ...(root === null ? {} : { root }) };
  };
  return {
    async synonyms(): Promise<SynonymRule[]> {
      const found = await collection.find().sort({ _id: 1 }).limit(limits.synonymRulesCount).toArray();
      return found.map(ruleOf);
    },
    /** Answers with the rule that stood there before; `full` where there are as many as there may be. */
    async putSynonyms({ id, terms, root }: SynonymRule): Promise<SynonymRule | null | 'full'> {
      const before = await collection.findOne({ _id: id });
      if (!before && (await collection.countDocuments()) >= limits.synonymRulesCount) return 'full';
      await collection.replaceOne({ _id: id }, { terms: [...terms], root: root ?? null }, { upsert: true });
      return before && ruleOf(before);
    },
    /** Answers with the rule that is gone. */
    async removeSynonyms(id: string): Promise<SynonymRule | null> {
      const gone = await collection.findOneAndDelete({ _id: id });
      return gone && ruleOf(gone);
    },
  };
}
