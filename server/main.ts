// The composition root of a server process: settings, connections, capabilities, transports, signals, in this order.
// Long and dull on purpose: nothing is decided here, everything is only put together.
import { join } from 'node:path';
import { createApi } from './api.ts';
import { createAuditLog } from './admin/audit-log.ts';
import { createCallFigures } from './admin/call-figures.ts';
import { createStats } from './admin/stats.ts';
import { createReport } from './admin/report.ts';
import { createReportBooks } from './admin/report-books.ts';
import { createListDropPayments } from './admin/report-payments.ts';
import { createFindings } from './audit/findings.ts';
import { createFindingsStore } from './audit/findings.store.ts';
import { createAuthenticate, sessionTokenSchema } from './buyers/authenticate.ts';
import { createPrivacy } from './buyers/privacy.ts';
import { createCatalog } from './catalog/catalog.ts';
import { createCatalogStore } from './catalog/catalog.store.ts';
import { createReprice } from './catalog/reprice.ts';
import { createProductChanges } from './catalog/product-changes.ts';
import { createSharedProducts } from './catalog/shared-products.store.ts';
import { createAdvance } from './checkout/advance.ts';
import { createRefundOrder } from './checkout/refund-order.ts';
import { createCheckout } from './checkout/checkout.ts';
import { createUnknownPayments } from './checkout/unknown-payments.ts';
import { createOrderJobs, type EventJob, type OrderJob } from './checkout/order-jobs.ts';
import { readConfig } from './config.ts';
import { startConductor } from './drops/conductor.ts';
import { createDrops } from './drops/drops.ts';
import { createDropsStore } from './drops/drops.store.ts';
import { createCodeHashes } from './drops/codes.ts';
import { createDropOffers, createLowestBefore } from './drops/drop-offers.ts';
import { createDropFeeds } from './drops/feeds.ts';
import { createLiveStore, dropFields, firstPaidShare } from './drops/live.store.ts';
import { createFetchBeacon } from './fairness/beacon.gateway.ts';
import { createFairness } from './fairness/fairness.ts';
import { createLeavesStore } from './fairness/leaves.store.ts';
import { createLobbyStore } from './fairness/lobby.store.ts';
import { createServeProof } from './fairness/proof-download.ts';
import { createGroups } from './groups/groups.ts';
import { createGroupsStore } from './groups/groups.store.ts';
import { dropIdSchema } from './ids.ts';
import { withCoupons } from './inventory/coupon-holds.ts';
import { createHoldsStore } from './inventory/holds.store.ts';
import { createInventory } from './inventory/inventory.ts';
import { createLedger } from './inventory/ledger.store.ts';
import { assertLimits, limits } from './limits.ts';
import { createOrderEvents } from './orders/order-events.ts';
import { createOrders } from './orders/orders.ts';
import { createRefund } from './orders/refunds.ts';
import { createOrdersStore } from './orders/order.store.ts';
import { createBookedRequests } from './payments/booked-requests.ts';
import { createHashCard } from './payments/card-hash.ts';
import { createCardsStore } from './payments/cards.store.ts';
import { createEventsStore } from './payments/events.store.ts';
import { missedLeastAmount } from './payments/least-amounts.rules.ts';
import { createPayments } from './payments/payments.gateway.ts';
import { createStripe } from './payments/stripe.ts';
import { createStripeBudget } from './payments/stripe-budget.ts';
import { createUnknownPaymentsStore } from './checkout/unknown-payments.store.ts';
import { createWebhook } from './payments/webhook.ts';
import { startClock } from './platform/clock.ts';
import { createQueue as createJobQueue } from './platform/jobs.ts';
import { dropChannel } from './platform/keys.ts';
import { createLifecycle } from './platform/lifecycle.ts';
import { createLuaRunner } from './platform/lua-scripts.ts';
import { connectMongo, isConnected } from './platform/mongo.ts';
import { createRateLimits } from './platform/rate-limits.ts';
import { checkRedis, connectRedis } from './platform/redis.ts';
import { createSealer } from './platform/seal.ts';
import { countProductReads, createLogger, createMetrics } from './platform/telemetry.ts';
import { createEngineCoupons } from './promotions/engine-coupons.ts';
import { createJudgeCoupon } from './promotions/judge-coupon.ts';
import { createPricePool } from './pricing/price-pool.ts';
import { createPricing } from './pricing/pricing.ts';
import { createRepriceQuote } from './pricing/reprice-quote.ts';
import { quoteSchema } from './pricing/quote.ts';
import { createRates } from './pricing/rates.ts';
import { createRatesStore } from './pricing/rates.store.ts';
import { createAdmission } from './queue/admission.ts';
import { createBotGate } from './queue/bot-gate.ts';
import { createCallLog } from './queue/call-log.store.ts';
import { createQueue } from './queue/queue.ts';
import { createQueueStore } from './queue/queue.store.ts';
import { passSchema, ticketSchema } from './queue/tickets.ts';
import { createArrivalMarks } from './rebuild/arrival-marks.ts';
import { createEpochsStore } from './rebuild/epochs.store.ts';
import { lostOrder } from './rebuild/lost-order.ts';
import { createReconcile } from './rebuild/reconcile.ts';
import { createRebuild } from './rebuild/rebuild.ts';
import { createRebuildStore } from './rebuild/rebuild.store.ts';
import { createChosenResults } from './search/chosen-results.ts';
import { createIndexHint } from './search/index-hint.ts';
import { createSearch } from './search/search.ts';
import { createGiveSearchKey } from './search/search-key.ts';
import { createMakeContext } from './transport/context.ts';
import { createHttpServer } from './transport/http.ts';
import { createOriginCheck } from './transport/origin.ts';
import { serveSockets } from './transport/websocket.ts';

assertLimits();
const config = readConfig();
const log = createLogger({ name: 'server', level: config.logLevel });
const metrics = createMetrics();
const lifecycle = createLifecycle({ log, endsWithParent: process.argv.includes('--parent') });

// Connections. What is opened first is closed last.
const stockRedis = connectRedis({ url: config.redis.stockUrl, role: 'stock', log });
const eventsRedis = connectRedis({ url: config.redis.stockUrl, role: 'events', log });
const jobsRedis = connectRedis({ url: config.redis.jobsUrl, role: 'jobs', log });
const limitsRedis = connectRedis({ url: config.redis.limitsUrl, role: 'limits', log });
lifecycle.onStop('redis', () => {
  for (const redis of [stockRedis, eventsRedis, jobsRedis, limitsRedis]) redis.disconnect();
});
await Promise.all([checkRedis(stockRedis, 'stock', log), checkRedis(jobsRedis, 'jobs', log)]);
const mongo = await connectMongo({ uri: config.mongoUri, log });
lifecycle.onStop('mongodb', () => mongo.close());
const clock = await startClock(stockRedis, { movable: config.luaClock === 'test' });
lifecycle.onStop('clock', () => clock.stop());
const run = createLuaRunner(stockRedis, { clock: config.luaClock });

// Stores.
const live = createLiveStore({ redis: stockRedis, run });
const holdsStore = createHoldsStore({ redis: stockRedis, run });
const rebuildStore = createRebuildStore({ redis: stockRedis, run });
const epochs = createEpochsStore(mongo);
const marks = createArrivalMarks({ store: epochs, live: rebuildStore });
const queueStore = createQueueStore(run, dropId => marks.keep(dropId));
const dropsStore = createDropsStore(mongo);
const ledger = createLedger(mongo);
const callLog = createCallLog(mongo);
const lobbyStore = createLobbyStore(mongo);
const ordersStore = createOrdersStore(mongo);
const cardsStore = createCardsStore(mongo);
const unknownStore = createUnknownPaymentsStore(mongo);
const stripeEvents = createEventsStore(mongo);
const catalogStore = createCatalogStore(mongo);
const auditLog = createAuditLog({ connection: mongo, clock, log });
await Promise.all(
  [
    dropsStore,
    ledger,
    callLog,
    lobbyStore,
    ordersStore,
    cardsStore,
    unknownStore,
    stripeEvents,
    catalogStore,
    auditLog,
  ].map(store => store.ensureIndexes()),
);
lifecycle.onStop('audit log', () => auditLog.settled());

// Sealed values.
const secrets = config.tokenSecrets;
const codes = createCodeHashes(secrets);
const sessions = createSealer({ kind: 'session', secrets, schema: sessionTokenSchema, remember: true });
const tickets = createSealer({ kind: 'ticket', secrets, schema: ticketSchema, remember: true });
const passes = createSealer({ kind: 'pass', secrets, schema: passSchema });
const quotes = createSealer({ kind: 'quote', secrets, schema: quoteSchema });

// Jobs.
const orderQueue = createJobQueue<OrderJob>('orders', jobsRedis);
const eventQueue = createJobQueue<EventJob>('events', jobsRedis);
const searchQueue = createJobQueue('search', jobsRedis);
const auditQueue = createJobQueue<{ runId: string }>('audit', jobsRedis);
for (const queue of [orderQueue, eventQueue, searchQueue, auditQueue]) {
  queue.on('error', error => log.warn({ err: error }, 'the job queue is in trouble'));
  lifecycle.onStop(`queue ${queue.name}`, () => queue.close());
}
const jobs = createOrderJobs({ orders: orderQueue, events: eventQueue, connection: jobsRedis, log });

// Capabilities.
const indexHint = createIndexHint({ queue: searchQueue, log });
lifecycle.onStop('index hint', () => indexHint.close());
const productReads = countProductReads(metrics);
const dropOffers = createDropOffers(sku => dropsStore.offering(sku));
const catalog = await createCatalog({
  store: catalogStore,
  dropOffers,
  changes: createProductChanges({ redis: stockRedis, events: eventsRedis, log }),
  clock,
  log,
  shared: createSharedProducts({
    redis: limitsRedis,
    onHit: () => productReads.redis.inc(),
  }),
  onRead: by => productReads[by].inc(),
  onIndexDue: () => indexHint.send(),
});
lifecycle.onStop('catalog', () => catalog.close());
const chosenResults = createChosenResults({ connection: mongo, log });
const search = createSearch({
  typesense: config.typesense,
  catalog,
  pins: chosenResults,
  log,
  onAnswered: by => metrics.cacheReads.inc({ cache: 'searches', by }),
});
const feeds = createDropFeeds({ live, events: eventsRedis, log });
const rates = createRates({ store: createRatesStore(mongo), clock });
const groups = createGroups({ store: createGroupsStore(mongo), clock });
const drops = createDrops({
  store: dropsStore,
  live,
  redis: stockRedis,
  clock,
  codes,
  variantsBySku: skus => catalog.variantsBySku(skus),
  ratesInto: currency => rates.into(currency),
  createUnits: (dropId, ranges) => ledger.createUnits(dropId, ranges),
  record: {
    firstMark: dropId => marks.first(dropId),
    note: (dropId, steered) => epochs.note(dropId, steered),
  },
  blockedBy: dropId => unknownPayments.blocking(dropId),
});
const queue = createQueue({
  store: queueStore,
  feeds,
  codes,
  findDrop: dropId => drops.find(dropId),
  tickets,
  passes,
});
const botGate = createBotGate({ redis: limitsRedis, secrets: config.tokenSecrets, clock });
const fairness = createFairness({
  leaves: createLeavesStore(stockRedis),
  lobbies: lobbyStore,
  look: dropId => live.look(dropId),
  lastCall: dropId => callLog.last(dropId),
  fetchBeacon: createFetchBeacon(config.beaconUrl),
  log,
});
const pricePool = createPricePool();
lifecycle.onStop('pricing threads', () => pricePool.close());
const reprice = createReprice({
  connection: mongo,
  catalog: catalog.repriced,
  amounts: (list, change) => pricePool.reprice(list, change),
  clock,
});
await reprice.ensureIndexes();
const coupons = createEngineCoupons({
  mongo,
  redis: stockRedis,
  run,
  holds: holdsStore,
  orders: ordersStore,
  clock,
  log,
});
const holds = withCoupons(holdsStore, coupons);
const pricing = createPricing({
  judgeCoupon: createJudgeCoupon({ coupons, catalog }),
  dropPrices: async dropId => {
    const drop = await drops.find(dropId);
    const currency = drop?.items[0]?.price.currency;
    if (!drop || !currency) return null;
    const items = new Map(
      drop.items.map(({ sku, title, price, tiers, taxClass, rate, steps }) => [
        sku,
        { title, amount: price.amount, tiers, taxClass, rate, steps },
      ]),
    );
    return { currency, items, perBuyerMax: drop.perBuyerMax, opensAtMs: drop.opensAtMs };
  },
  sealer: quotes,
  clock,
  pool: pricePool,
  missedLeastAmount,
  groupTerms: (buyer, cart) => groups.termsFor(buyer, cart),
  taxRates: config.taxRates,
  catalog: { prices: skus => catalog.shownVariants(skus), rates },
});
const inventory = createInventory({
  store: holds,
  passes,
  quotes,
  falling: { reprice: createRepriceQuote({ pricing, quotes }), clock },
});
const orderEvents = createOrderEvents({ publisher: stockRedis, subscriber: eventsRedis, log });
lifecycle.onStop('order events', () => orderEvents.close());
const orders = createOrders({
  store: ordersStore,
  events: orderEvents,
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
const unknownPayments = createUnknownPayments({
  store: unknownStore,
  orders,
  payments,
  pauseDrop: async dropId => {
    await drops.steer(dropId, { action: 'pause' });
  },
  clock,
  log,
  metrics,
});
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
const apiBase = config.stripe.apiBase ?? 'https://api.stripe.com';
const scriptUrl = config.stripe.apiBase ? `${config.stripe.apiBase}/v3/` : 'https://js.stripe.com/v3/';
const checkout = createCheckout({
  orders,
  payments,
  holds,
  units: ledger,
  termsOf: dropId => drops.find(dropId),
  quotes,
  advance,
  wake: jobs.wakeOrder,
  clock,
  paymentsAddress: { publishableKey: config.stripe.publishableKey, apiBase, scriptUrl },
  log,
});
const receiveWebhook = createWebhook({
  stripe,
  secret: config.stripe.webhookSecret,
  events: stripeEvents,
  ownsPayment: async paymentId => (await ordersStore.findByPayment(paymentId)) !== null,
  wake: jobs.wakeEvent,
  log,
  metrics,
});

// Running drops.
const listPayments = createListDropPayments(stripe);
const rebuild = createRebuild({
  store: rebuildStore,
  epochs,
  findDrop: dropId => dropsStore.find(dropId),
  dropFields,
  firstPaidShare,
  orders: dropId => orders.holdsOfDrop(dropId),
  ownersAmong: orderIds => ledger.ownersAmong(orderIds),
  calls: dropId => callLog.read(dropId),
  lobby: async dropId => (await lobbyStore.find(dropId))?.lanes ?? null,
  payments: async ({ dropId, createdAtMs }) =>
    (await listPayments({ dropId, sinceMs: createdAtMs })).map(payment => ({
      ...payment,
      isOver:
        payment.status === 'canceled' ||
        (payment.receivedAmount > 0 && payment.refundedAmount >= payment.receivedAmount),
    })),
  insertLost: async (drop, hold) => {
    await orders.insert(lostOrder(drop.dropId, hold, clock.now()));
  },
  clock,
  log,
  metrics,
});
const conductor = startConductor({
  drops,
  live,
  steps: {
    lobbyKey: drop => fairness.lobbyKey(drop),
    sweep: dropId => holdsStore.sweep(dropId),
    admit: createAdmission({
      store: queueStore,
      log: callLog,
      logger: log,
      putRight: dropId => rebuild(dropId, true),
    }),
    rebuild: async drop => {
      await rebuild(drop.dropId);
    },
    keepMarks: dropId => marks.keep(dropId),
    reconcile: createReconcile({
      look: dropId => live.look(dropId),
      ordersUnderWay: dropId => orders.countUnderWay(dropId),
      claimed: (dropId, sku) => ledger.countClaimed(dropId, sku),
      rebuild,
      log,
      metrics,
    }),
    // What can be bought right now is a part of the search index.
    stateChanged: drop => catalog.reindexSkus(drop.items.map(item => item.sku)),
  },
  log,
});
lifecycle.onStop('conductor', () => conductor.stop());
feeds.onChange(dropId => conductor.nudge(dropId));
await eventsRedis.subscribe(dropChannel);
eventsRedis.on('message', (channel: string, message: string) => {
  if (channel !== dropChannel) return;
  const dropId = dropIdSchema.safeParse(message);
  if (!dropId.success) return;
  drops.forget(dropId.data);
  conductor.nudge(dropId.data);
});
lifecycle.onStop('feeds', () => feeds.stop());

// Transports.
const lowestBefore = createLowestBefore({
  offersOf: dropOffers,
  listed: async (sku, currency) => (await catalog.priceHistory(sku, currency))?.entries ?? [],
  clock,
});
const api = createApi({
  clock,
  lowestBefore,
  sessions,
  catalog,
  search,
  chosenResults,
  giveSearchKey: createGiveSearchKey({
    typesense: config.typesense,
    publicUrl: config.typesense.publicUrl,
    clock,
  }),
  drops,
  feeds,
  queue,
  botGate,
  fairness,
  openTicket: text => tickets.open(text),
  pricing,
  rates,
  groups,
  coupons,
  inventory,
  reprice,
  checkout,
  orders,
  refund: createRefund({ orders, advance, clock }),
  privacy: createPrivacy({ orders, holds, events: stripeEvents, cards, groups, clock }),
  report: createReport({
    drop: dropId => drops.get(dropId),
    look: dropId => live.look(dropId),
    calls: dropId => callLog.read(dropId),
    books: createReportBooks(mongo),
    listPayments,
    clock,
  }),
  auditLog,
  stats: createStats({
    feeds,
    countOrders: dropId => orders.countsOfDrop(dropId),
    callFigures: createCallFigures(metrics, clock),
  }),
  findings: createFindings({
    store: createFindingsStore(mongo),
    clock,
    ask: async runId => {
      await auditQueue.add('check', { runId });
    },
  }),
});
const makeContext = createMakeContext({
  authenticate: createAuthenticate({ sessions, clock, staffKeys: config.staffKeys, jwt: config.jwt }),
  log,
  metrics,
  rates: createRateLimits(limitsRedis, config.redis.limitsUrl === config.redis.jobsUrl ? stockRedis : null),
  trustProxy: config.trustProxy,
  audit: auditLog,
});
const checkOrigin = createOriginCheck(config.allowedOrigins);
const server = createHttpServer({
  router: api,
  makeContext,
  checkOrigin,
  clock,
  notReady: async () => {
    if (lifecycle.stopping) return 'stopping';
    if (stockRedis.status !== 'ready') return 'redis is away';
    return isConnected(mongo) ? null : 'mongodb is away';
  },
  metrics,
  webhook: ({ rawBody, signature }) => receiveWebhook({ rawBody, signature, nowMs: clock.now() }),
  serveProof: createServeProof({
    fairness,
    findDrop: dropId => drops.find(dropId),
    calls: dropId => callLog.read(dropId),
  }),
  paymentOrigins: [
    ...new Set([apiBase, scriptUrl].map(url => new URL(url).origin)),
    // Stripe's own script frames the bank's page from here (https://docs.stripe.com/security/guide).
    ...(config.stripe.apiBase ? [] : ['https://*.js.stripe.com', 'https://hooks.stripe.com']),
  ],
  pagesFolder: join(import.meta.dirname, '../client/web/dist'),
  log,
});
const sockets = serveSockets(server, {
  router: api,
  makeContext,
  checkOrigin,
  clock,
  metrics,
  trustProxy: config.trustProxy,
  log,
});
const port = await new Promise<number>((resolve, reject) => {
  server.once('error', reject);
  const { port: wanted, host, portShared } = config;
  server.listen({ port: wanted, host, reusePort: portShared }, () => {
    const address = server.address();
    resolve(typeof address === 'object' && address ? address.port : config.port);
  });
});
lifecycle.onStop('listener', async () => {
  // Load balancers see readiness fail before the listener closes; what is under way is finished.
  await new Promise(resolve => setTimeout(resolve, limits.drainMs));
  const closed = new Promise(resolve => server.close(resolve));
  await sockets.stop(limits.reconnectSpreadMs);
  server.closeIdleConnections();
  setTimeout(() => server.closeAllConnections(), limits.drainMs).unref();
  await closed;
});
log.info({ port }, 'ready');
process.stdout.write(`${JSON.stringify({ ready: true, port })}\n`);
