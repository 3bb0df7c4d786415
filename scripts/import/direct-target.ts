// Writes into the catalog's own database, in bulk, as the server does, and announces the changes, so that no server
// goes on showing what it remembers. The index is fed by the installation's worker, from the catalog's outbox.
import { pino } from 'pino';
import { createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { createCatalog } from '../../server/catalog/catalog.ts';
import { outcomeOf } from '../../server/catalog/import-outcome.ts';
import { createProductChanges } from '../../server/catalog/product-changes.ts';
import { connectMongo } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import type { ImportTarget } from './import-target.ts';

export async function openDirectTarget(options: {
  mongoUri: string;
  redisUrl: string;
}): Promise<ImportTarget> {
  const log = pino({ level: 'silent' });
  const connection = await connectMongo({ uri: options.mongoUri, log });
  const redis = connectRedis({ url: options.redisUrl, role: 'limits', log });
  const store = createCatalogStore(connection);
  await store.ensureIndexes();
  const changes = createProductChanges({ redis, events: redis, log });
  const catalog = await createCatalog({
    store,
    // Nothing is remembered here, so nothing has to be heard.
    changes: { announce: ids => changes.announce(ids), listen: async () => async () => undefined },
    clock: { now: Date.now },
    log,
  });
  return {
    batchCount: 500,
    write: async products => (await catalog.upsertMany(products)).map(outcomeOf),
    dueCount: async () => (await catalog.counts()).due,
    async close() {
      await catalog.close();
      redis.disconnect();
      await connection.close();
    },
  };
}
