// The composition root of the worker process: settings, connections, jobs, relay, signals. Any number of these may
// run; each may be killed at any time, since what is due stands in MongoDB and not here.
//
//   node workers/main.ts [--parent]      settings from the environment; `--parent`: ends when stdin closes
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Logger } from 'pino';
import { createCheckBooks } from '../server/audit/check-books.ts';
import { createFindingsStore } from '../server/audit/findings.store.ts';
import { createAuditSources } from '../server/audit/sources.ts';
import { createCatalog } from '../server/catalog/catalog.ts';
import { createCatalogStore } from '../server/catalog/catalog.store.ts';
import { createProductChanges } from '../server/catalog/product-changes.ts';
import { createSharedProducts } from '../server/catalog/shared-products.store.ts';
import { createAdvance } from '../server/checkout/advance.ts';
import { createRefundOrder } from '../server/checkout/refund-order.ts';
import { createSweeps } from '../server/checkout/sweeps.ts';
import { createTakeNews } from '../server/checkout/take-news.ts';
import { createUnknownPayments } from '../server/checkout/unknown-payments.ts';
import { createApplyEvent } from '../server/checkout/apply-event.ts';
import { createOrderJobs, type EventJob, type OrderJob } from '../server/checkout/order-jobs.ts';
import { readConfig, type Config } from '../server/config.ts';
import { withCoupons } from '../server/inventory/coupon-holds.ts';
import { createHoldsStore } from '../server/inventory/holds.store.ts';
import { createLedger } from '../server/inventory/ledger.store.ts';
import { assertLimits, limits } from '../server/limits.ts';
import { createOrderEvents } from '../server/orders/order-events.ts';
import { createOrders } from '../server/orders/orders.ts';
import { createOrdersStore } from '../server/orders/order.store.ts';
import { createBookedRequests } from '../server/payments/booked-requests.ts';
import { createHashCard } from '../server/payments/card-hash.ts';
import { createCardsStore } from '../server/payments/cards.store.ts';
import { createEventsStore } from '../server/payments/events.store.ts';
import { createPaymentLists } from '../server/payments/payment-lists.ts';
import { createStoreEvent } from '../server/payments/store-event.ts';
import { createSweepsStore } from '../server/checkout/sweeps.store.ts';
import { createUnknownPaymentsStore } from '../server/checkout/unknown-payments.store.ts';
import { createPayments } from '../server/payments/payments.gateway.ts';
import { createStripe } from '../server/payments/stripe.ts';
import { createStripeBudget } from '../server/payments/stripe-budget.ts';
import { startClock } from '../server/platform/clock.ts';
import { createQueue } from '../server/platform/jobs.ts';
import { dropChannel } from '../server/platform/keys.ts';
import { createDropsStore } from '../server/drops/drops.store.ts';
import { createReadAvailability } from '../server/drops/availability.ts';
import { createLiveStore } from '../server/drops/live.store.ts';
import { createLuaRunner } from '../server/platform/lua-scripts.ts';
import { connectMongo } from '../server/platform/mongo.ts';
import { checkRedis, connectRedis } from '../server/platform/redis.ts';
import { createLogger, createMetrics } from '../server/platform/telemetry.ts';
import { createEpochsStore } from '../server/rebuild/epochs.store.ts';
import { createProductIndexer } from '../server/search/index-products.ts';
import { createReindex } from '../server/search/reindex.ts';
import { createReindexStore } from '../server/search/reindex.store.ts';
import { createEngineCoupons } from '../server/promotions/engine-coupons.ts';
import { createSearchIndex } from '../server/search/search-index.ts';
import { createAdvanceOrderWorker } from './advance-order.ts';
import { createApplyEventWorker } from './apply-event.ts';
import { createCheckBooksWorker } from './check-books.ts';
import { createIndexWorker } from './index-products.ts';
import { createRelay } from './relay.ts';
import { startSweeping } from './sweep.ts';
import { createStockWatch } from './watch-stock.ts';

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { parent: { type: 'boolean', default: false } } });
  assertLimits();
  const config = readConfig();
  const log = createLogger({ name: 'worker', level: config.logLevel });
  const workers = await startWorkers(config, log);

  let ending = false;
  const end = (why: string) => {
    if (ending) return;
    ending = true;
    log.info({ why }, 'the worker ends');
    // What does not end in time is done again elsewhere: nothing is lost by leaving it.
    setTimeout(() => process.exit(1), limits.shutdownMs).unref();
    workers.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'the worker did not end cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', () => end('SIGTERM')).on('SIGINT', () => end('SIGINT'));
  if (values.parent) {
    process.stdin
      .resume()
      .on('end', () => end('the parent is gone'))
      .on('error', () => end('the parent is gone'));
  }
  process.stdout.write(`${JSON.stringify({ ready: true, pid: process.pid })}\n`);
}

async function startWorkers(config: Config, log: Logger): Promise<{ stop(): Promise<void> }> {
  const stock = connectRedis({ url: config.redis.stockUrl, role: 'stock', log });
  // Publishing must not wait behind stock scripts, and a subscribed connection can do nothing else.
  const publisher = connectRedis({ url: config.redis.stockUrl, role: 'limits', log });
  const subscriber = connectRedis({ url: config.redis.stockUrl, role: 'events', log });
  // A blocked connection cannot add jobs: queues and workers have one each (BullMQ makes the workers' blocking ones).
  const jobsQueues = connectRedis({ url: config.redis.jobsUrl, role: 'jobs', log });
  const jobsWorkers = connectRedis({ url: config.redis.jobsUrl, role: 'jobs', log });
  const limitsRedis = connectRedis({ url: config.redis.limitsUrl, role: 'limits', log });
  const mongo = await connectMongo({ uri: config.mongoUri, log });
  await Promise.all([checkRedis(stock, 'stock', log), checkRedis(jobsQueues, 'jobs', log)]);
  const clock = await startClock(stock, { movable: config.luaClock === 'test' });
  const metrics = createMetrics();

  const ordersStore = createOrdersStore(mongo);
  const ledger = createLedger(mongo);
  const cardsStore = createCardsStore(mongo);
  const dropsStore = createDropsStore(mongo);
  const epochs = createEpochsStore(mongo);
  const unknownStore = createUnknownPaymentsStore(mongo);
  const events = createEventsStore(mongo);
  const catalogStore = createCatalogStore(mongo);
  await Promise.all([
    ordersStore.ensureIndexes(),
    ledger.ensureIndexes(),
    cardsStore.ensureIndexes(),
    unknownStore.ensureIndexes(),
    events.ensureIndexes(),
    catalogStore.ensureIndexes(),
  ]);

  const orderQueue = createQueue<OrderJob>('orders', jobsQueues);
  const eventQueue = createQueue<EventJob>('events', jobsQueues);
  for (const queue of [orderQueue, eventQueue]) {
    queue.on('error', error => log.warn({ err: error }, 'the job queue is in trouble'));
  }
  const jobs = createOrderJobs({ orders: orderQueue, events: eventQueue, connection: jobsQueues, log });
  const run = createLuaRunner(stock, { clock: config.luaClock });
  const holdsStore = createHoldsStore({ redis: stock, run });
  const coupons = createEngineCoupons({
    mongo,
    redis: stock,
    run,
    holds: holdsStore,
    orders: ordersStore,
    clock,
    log,
  });
  const holds = withCoupons(holdsStore, coupons);
  const orders = createOrders({
    store: ordersStore,
    events: createOrderEvents({ publisher, subscriber: null, log }),
    clock,
    wake: jobs.wakeOrder,
    metrics,
  });
  const stripe = createStripe({
    ...config.stripe,
    httpClient: createBookedRequests({
      budget: createStripeBudget({ redis: limitsRedis, rates: config.stripe.rates }),
      metrics,
    }),
  });
  const payments = createPayments(stripe);
  const cards = { ...cardsStore, hash: createHashCard(config.tokenSecrets) };
  const refunds = createRefundOrder({ orders, payments, units: ledger, holds, cards, clock, log, metrics });
  const advance = createAdvance({
    orders,
    payments,
    units: ledger,
    holds,
    cards,
    refunds,
    clock,
    log,
    metrics,
  });
  const takeNews = createTakeNews({ orders, payments, clock, log, metrics });
  const applyEvent = createApplyEvent({
    events,
    orders,
    advance,
    takeNews,
    takeRefunds: order => refunds.takeIn(order),
    clock,
    log,
    metrics,
  });
  const relay = createRelay({ orders, events, jobs, advance, applyEvent, clock, log });

  const catalog = await createCatalog({
    store: catalogStore,
    changes: createProductChanges({ redis: publisher, events: subscriber, log }),
    shared: createSharedProducts({ redis: limitsRedis }),
    clock,
    log,
  });
  const live = createLiveStore({ redis: stock, run });
  const sweeping = startSweeping({
    sweeps: createSweeps({
      store: createSweepsStore(mongo),
      lists: createPaymentLists(stripe),
      events,
      storeEvent: createStoreEvent({
        events,
        ownsPayment: async paymentId => (await ordersStore.findByPayment(paymentId)) !== null,
      }),
      wakeEvent: jobs.wakeEvent,
      orders,
      isOurDrop: async dropId => (await dropsStore.find(dropId)) !== null,
      takeNews,
      takeRefunds: order => refunds.takeIn(order),
      advance,
      unknown: createUnknownPayments({
        store: unknownStore,
        orders,
        payments,
        async pauseDrop(dropId) {
          await live.steer(dropId, { action: 'pause' });
          await epochs.note(dropId, { paused: true });
          await publisher.publish(dropChannel, dropId);
        },
        clock,
        log,
        metrics,
      }),
      clock,
      owner: randomUUID(),
      log,
      metrics,
    }),
    log,
  });
  const availabilityOf = createReadAvailability({ drops: dropsStore, live });
  const index = createSearchIndex(config.typesense);
  const reindex = createReindex({
    catalog,
    index,
    store: createReindexStore(mongo),
    availabilityOf,
    clock,
    log,
  });
  const indexer = createProductIndexer({
    catalog,
    index,
    log,
    availabilityOf,
    onOutdated: () => {
      log.info('search: the index is of an older version and is built anew');
      reindex.run().then(
        ({ kind }) => log.info({ kind }, 'search: the index was built anew'),
        (error: unknown) => log.error({ err: error }, 'search: the index could not be built anew'),
      );
    },
  });

  const orderWorker = createAdvanceOrderWorker({ advance, connection: jobsWorkers, log });
  const eventWorker = createApplyEventWorker({ applyEvent, connection: jobsWorkers, log });
  const indexWorker = createIndexWorker({ indexer, connection: jobsWorkers, log });
  const booksWorker = createCheckBooksWorker({
    checkBooks: createCheckBooks({
      store: createFindingsStore(mongo),
      sources: createAuditSources({
        look: dropId => live.look(dropId),
        redis: stock,
        mongo,
        stripe,
        clock,
      }),
      clock,
      log,
    }),
    connection: jobsWorkers,
    log,
  });
  const stockWatch = createStockWatch({
    availabilityOf: () => availabilityOf(),
    async reindexSkus(skus) {
      await catalog.reindexSkus(skus);
      indexWorker.nudge();
    },
    log,
  });
  stockWatch.start();
  relay.start();

  return {
    async stop() {
      // Quiet: nothing new is taken up, what is under way ends. Then the connections go.
      // BullMQ waits for a Redis that is away for ever; then there is no job to be told of its end either.
      const jobsAreAway = jobsWorkers.status !== 'ready';
      const jobsEnd = Promise.all([
        orderWorker.close(jobsAreAway),
        eventWorker.close(jobsAreAway),
        // A check of the books changes nothing: it is not waited for, and may be asked for again.
        booksWorker.close(true),
        indexWorker.close(),
        orderQueue.close(),
        eventQueue.close(),
      ]);
      jobsEnd.catch((error: unknown) => log.warn({ err: error }, 'the job queue did not end cleanly'));
      await Promise.all([relay.stop(), sweeping.stop(), stockWatch.stop(), catalog.close()]);
      if (!jobsAreAway) await jobsEnd;
      clock.stop();
      for (const redis of [stock, publisher, subscriber, jobsQueues, jobsWorkers, limitsRedis])
        redis.disconnect();
      await mongo.close();
    },
  };
}

await main();
