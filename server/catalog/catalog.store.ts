// Products in MongoDB, the truth of the catalog: reads, writes, and the outbox to the search index over one collection.
import { mongo } from 'mongoose';
import type { MongoConnection } from '../platform/mongo.ts';
import { createIndexOutbox } from './index-outbox.store.ts';
import { formerIndexes, productModelOf, type ProductModel } from './product-document.ts';
import { createPriceHistory } from './price-history.store.ts';
import { createProductReads } from './product-reads.store.ts';
import { createProductWrites } from './product-writes.store.ts';
import { createSynonyms } from './synonyms.store.ts';

export type { ClaimedProducts, DueProduct } from './index-outbox.store.ts';
export type { BrowseQuery, RepricedProduct } from './product-reads.store.ts';
export type { WriteOutcome } from './product-writes.store.ts';

export type CatalogStore = ReturnType<typeof createCatalogStore>;

export function createCatalogStore(connection: MongoConnection) {
  const model = productModelOf(connection);
  const history = createPriceHistory(connection, model);
  const writes = createProductWrites(model, history);
  return {
    ...createProductReads(model),
    ...writes,
    ...history,
    ...createIndexOutbox(model),
    ...createSynonyms(connection),
    /** And brings a collection of an older version up to this one. */
    async ensureIndexes(): Promise<void> {
      await model.createIndexes();
      await history.ensurePriceIndexes();
      for (const name of formerIndexes) await dropIndex(model, name);
      await writes.bringForward();
    },
  };
}

async function dropIndex(model: ProductModel, name: string): Promise<void> {
  try {
    await model.collection.dropIndex(name);
  } catch (error) {
    const isAbsent =
      error instanceof mongo.MongoServerError &&
      ['IndexNotFound', 'NamespaceNotFound'].includes(error.codeName ?? '');
    if (!isAbsent) throw error;
  }
}
