// The checkout world, and processes that rebuild its drops after Redis has lost data.
import { statSync, readdirSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { dropFields, firstPaidShare } from '../../server/drops/live.store.ts';
import type { Drop } from '../../server/drops/drop.ts';
import type { DropId, OrderId } from '../../server/ids.ts';
import { collectionOf, connectMongo } from '../../server/platform/mongo.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createCallLog } from '../../server/queue/call-log.store.ts';
import { createArrivalMarks } from '../../server/rebuild/arrival-marks.ts';
import { createEpochsStore } from '../../server/rebuild/epochs.store.ts';
import { lostOrder } from '../../server/rebuild/lost-order.ts';
import { createReconcile } from '../../server/rebuild/reconcile.ts';
import { createRebuild, type RebuildDeps } from '../../server/rebuild/rebuild.ts';
import { createRebuildStore } from '../../server/rebuild/rebuild.store.ts';
import { quietLog, startCheckoutWorld } from './checkout-world.ts';

export async function startRebuildWorld() {
  let raiseMarks: (dropId: DropId) => Promise<void> = () => Promise.resolve();
  const world = await startCheckoutWorld({ raiseMarks: dropId => raiseMarks(dropId) });
  const connection = await connectMongo({ uri: world.mongoUri, log: quietLog });
  const calls = createCallLog(connection);
  await calls.ensureIndexes();
  const epochs = createEpochsStore(connection);
  const store = createRebuildStore({ redis: world.engine.redis, run: world.engine.run });
  const marks = createArrivalMarks({ store: epochs, live: store });
  raiseMarks = dropId => marks.keep(dropId);
  const metrics = createMetrics();
  const documents = new Map<DropId, Drop>();
  const payments: { paymentId: string; orderId: string; isOver: boolean }[] = [];

  const deps: RebuildDeps = {
    store,
    epochs,
    findDrop: dropId => Promise.resolve(documents.get(dropId) ?? null),
    dropFields,
    firstPaidShare,
    orders: dropId => world.ports.ordersStore.holdsOfDrop(dropId),
    ownersAmong: orderIds => world.ports.ledger.ownersAmong(orderIds),
    calls: dropId => calls.read(dropId),
    lobby: () => Promise.resolve(null),
    payments: () => Promise.resolve(payments),
    insertLost: async (drop, hold) => {
      await world.ports.ordersStore.insert(lostOrder(drop.dropId, hold, world.clock.now()));
    },
    clock: world.clock,
    log: quietLog,
    metrics,
  };

  return {
    ...world,
    calls,
    epochs,
    marks,
    /** What Stripe would list of the drop. */
    payments,
    rebuildStore: store,
    rebuildMetrics: metrics,
    /** A process that looks for drift; the second look puts it right. */
    reconciler: () =>
      createReconcile({
        look: dropId => world.engine.live.look(dropId),
        ordersUnderWay: dropId => world.ports.ordersStore.countUnderWay(dropId),
        claimed: (dropId, sku) => world.ports.ledger.countClaimed(dropId, sku),
        rebuild: createRebuild(deps),
        log: quietLog,
        metrics,
      }),
    /** Another process that may rebuild. */
    rebuilder: (own: Partial<RebuildDeps> = {}) => createRebuild({ ...deps, ...own }),
    /** As `drop`, with a document that outlives Redis. */
    async lasting(total: number, change: Partial<Drop> = {}): Promise<Drop> {
      const drop = { ...(await world.drop(total, change)), loadedRev: 1 };
      documents.set(drop.dropId, drop);
      await epochs.ensure(drop.dropId, { general: 0, priority: 0, late: 0 });
      await marks.keep(drop.dropId);
      return drop;
    },
    /** Ends Redis at once and starts it with the last bytes of its log cut off, down to `sizeBytes`. */
    async restartRedis(sizeBytes?: number): Promise<void> {
      world.redis.kill('SIGKILL');
      await world.redis.stop();
      if (sizeBytes !== undefined) truncateSync(logFile(world.redis.dataDir), sizeBytes);
      await world.redis.start();
      await world.eventually('Redis answers', () =>
        world.engine.redis.ping().then(
          () => true,
          () => false,
        ),
      );
    },
    /** As a MongoDB that came back from a backup of a time before the order. */
    async forget(orderId: OrderId): Promise<void> {
      await world.ports.ledger.release(orderId);
      await collectionOf<{ _id: string }>(connection, 'orders').deleteOne({ _id: orderId });
    },
    logSize: () => statSync(logFile(world.redis.dataDir)).size,
    async dispose() {
      await connection.close();
      await world.dispose();
    },
  };
}

export type RebuildWorld = Awaited<ReturnType<typeof startRebuildWorld>>;

function logFile(dataDir: string): string {
  const found = readdirSync(dataDir, { recursive: true, encoding: 'utf8' }).find(name =>
    name.endsWith('.incr.aof'),
  );
  if (!found) throw new Error('Redis keeps no log');
  return path.join(dataDir, found);
}
