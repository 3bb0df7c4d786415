// The shop's exchange rates, in MongoDB: one for each pair of currencies, the last that was set.
import { z } from 'zod';
import { collectionOf, type MongoConnection } from '../platform/mongo.ts';
import type { ExchangeRate } from './conversion.rules.ts';

const documentSchema = z.object({
  /** `EUR:USD`. */
  _id: z.string(),
  from: z.string(),
  to: z.string(),
  rate: z.string(),
  atMs: z.number(),
});
type RateDocument = z.infer<typeof documentSchema>;

export type RatesStore = ReturnType<typeof createRatesStore>;

export function createRatesStore(connection: MongoConnection) {
  const rates = collectionOf<RateDocument>(connection, 'exchangeRates');
  const idOf = (pair: { from: string; to: string }) => `${pair.from}:${pair.to}`;
  return {
    async all(): Promise<ExchangeRate[]> {
      const found = await rates.find({}).sort({ _id: 1 }).toArray();
      return found.map(document => {
        const { _id, ...rate } = documentSchema.parse(document);
        return rate;
      });
    },
    async put({ from, to, rate, atMs }: ExchangeRate): Promise<void> {
      await rates.replaceOne({ _id: idOf({ from, to }) }, { from, to, rate, atMs }, { upsert: true });
    },
    async remove(pair: { from: string; to: string }): Promise<boolean> {
      return (await rates.deleteOne({ _id: idOf(pair) })).deletedCount > 0;
    },
  };
}
