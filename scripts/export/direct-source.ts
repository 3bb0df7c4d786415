// The catalog of an installation on this machine, out of its own database.
import { pino } from 'pino';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import type { Product } from '../../server/catalog/product.ts';
import type { ProductId } from '../../server/ids.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import type { ExportSource } from './export-source.ts';

/** As many as are in memory at once, at some 10 KiB each at most. */
const pageCount = 200;

export async function openDirectSource(options: { mongoUri: string }): Promise<ExportSource> {
  const connection = await connectMongo({ uri: options.mongoUri, log: pino({ level: 'silent' }) });
  const store = createCatalogStore(connection);
  await store.ensureIndexes();
  return {
    count: () => store.count(),
    async *pages() {
      let after: ProductId | null = null;
      for (;;) {
        const found: { product: Product }[] = await store.page({ after, limit: pageCount });
        const last = found.at(-1);
        if (!last) return;
        yield found.map(({ product }) => product);
        after = last.product.productId;
      }
    },
    close: () => connection.close(),
  };
}
