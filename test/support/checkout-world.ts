// The money path over real services: Redis with the scripts, the MongoDB and Stripe stand-ins, webhooks that arrive at
// the real handler. `open` makes one process' worth of it, so that a test may have several, and kill them.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { z } from 'zod';
import { createAdvance } from '../../server/checkout/advance.ts';
import { createRefundOrder } from '../../server/checkout/refund-order.ts';
import { createApplyEvent } from '../../server/checkout/apply-event.ts';
import { createSweeps } from '../../server/checkout/sweeps.ts';
import { createTakeNews } from '../../server/checkout/take-news.ts';
import { createUnknownPayments } from '../../server/checkout/unknown-payments.ts';
import { createCheckout, type PayOutcome } from '../../server/checkout/checkout.ts';
import type { Drop } from '../../server/drops/drop.ts';
import { type BuyerId, type DropId, type HoldId, type OrderId, orderIdOf } from '../../server/ids.ts';
import type { HoldsStore } from '../../server/inventory/holds.store.ts';
import { createLedger, type Ledger } from '../../server/inventory/ledger.store.ts';
import type { Contact, Order, OrderTerms } from '../../server/orders/order.ts';
import { createOrderEvents } from '../../server/orders/order-events.ts';
import { createOrdersStore, type OrdersStore } from '../../server/orders/order.store.ts';
import { createOrders } from '../../server/orders/orders.ts';
import { createRefund } from '../../server/orders/refunds.ts';
import { createHashCard, type HashCard } from '../../server/payments/card-hash.ts';
import { createCardsStore, type CardsStore } from '../../server/payments/cards.store.ts';
import { createEventsStore, type EventsStore } from '../../server/payments/events.store.ts';
import { createPaymentLists } from '../../server/payments/payment-lists.ts';
import { createStoreEvent } from '../../server/payments/store-event.ts';
import { createSweepsStore } from '../../server/checkout/sweeps.store.ts';
import { createUnknownPaymentsStore } from '../../server/checkout/unknown-payments.store.ts';
import { createPayments } from '../../server/payments/payments.gateway.ts';
import type { Payments } from '../../server/payments/payments.ts';
import { createStripe } from '../../server/payments/stripe.ts';
import { createWebhook, type Webhook } from '../../server/payments/webhook.ts';
import { collectionOf, connectMongo } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { quoteSchema, type Quote } from '../../server/pricing/quote.ts';
import { createRelay } from '../../workers/relay.ts';
import { freshDatabase } from './embedded-mongo.ts';
import { startEmbeddedRedis } from './embedded-redis.ts';
import { startEmbeddedStripe } from './embedded-stripe.ts';
import { newHoldId, openEngine, skuOf } from './engine.ts';

export const contact: Contact = {
  email: 'ada@example.com',
  address: { name: 'Ada', line1: '1 Way', city: 'Berlin', postcode: '10115', country: 'DE' },
};

/** What a process talks to. A test may put something else in the place of any. */
export interface Ports {
  ordersStore: OrdersStore;
  eventsStore: EventsStore;
  ledger: Ledger;
  holds: HoldsStore;
  payments: Payments;
  cards: CardsStore & { hash: HashCard };
}

export interface HeldCart {
  readonly drop: Drop;
  readonly buyerId: BuyerId;
  readonly holdId: HoldId;
  readonly orderId: OrderId;
  readonly quote: Quote;
}

export const quietLog = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
const log = quietLog;

const totalsSchema = z.record(
  z.string(),
  z.object({ captured: z.int(), refunded: z.int(), authorized: z.int() }),
);
const booksByOrderSchema = z.record(z.string(), z.object({ paymentIntents: z.int(), totals: totalsSchema }));

export async function startCheckoutWorld(options: Parameters<typeof openEngine>[1] = {}) {
  let webhook: Webhook | null = null;
  const sink = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const rawBody = Buffer.concat(chunks);
      const signature = String(request.headers['stripe-signature']);
      const answer = webhook
        ? webhook({ rawBody, signature, nowMs: Date.now() })
        : Promise.resolve({ status: 503 });
      answer.then(
        ({ status }) => response.writeHead(status).end(),
        () => response.writeHead(500).end(),
      );
    });
  });
  await new Promise<void>(resolve => sink.listen(0, '127.0.0.1', resolve));
  const address: AddressInfo | string | null = sink.address();
  const port = typeof address === 'object' && address ? address.port : 0;

  const [redis, mongoUri, stripe] = await Promise.all([
    startEmbeddedRedis(),
    freshDatabase(),
    startEmbeddedStripe({ webhookUrl: `http://127.0.0.1:${port}/webhooks/stripe` }),
  ]);
  const engine = openEngine(redis.url, options);
  const publisher = connectRedis({ url: redis.url, role: 'limits', log });
  const subscriber = connectRedis({ url: redis.url, role: 'events', log });
  const connection = await connectMongo({ uri: mongoUri, log });
  const stripeClient = createStripe({ secretKey: stripe.secretKey, apiBase: stripe.url });
  const quotes = createSealer({
    kind: 'quote',
    secrets: ['a secret of sixteen and more'],
    schema: quoteSchema,
  });
  const orderEvents = createOrderEvents({ publisher, subscriber, log });
  const dropTerms = new Map<DropId, OrderTerms>();
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs };
  const ports: Ports = {
    ordersStore: createOrdersStore(connection),
    eventsStore: createEventsStore(connection),
    ledger: createLedger(connection),
    holds: engine.holds,
    payments: createPayments(stripeClient),
    cards: { ...createCardsStore(connection), hash: createHashCard(['a secret of sixteen and more']) },
  };
  await Promise.all([
    ports.ordersStore.ensureIndexes(),
    ports.eventsStore.ensureIndexes(),
    ports.ledger.ensureIndexes(),
    ports.cards.ensureIndexes(),
  ]);

  /** One process. Its jobs' Redis is away: its relay runs every due step itself, unless a test does better. */
  const open = (
    own: Partial<Omit<Ports, 'holds'> & { holds: Omit<HoldsStore, 'place'> }> = {},
    jobs: { wakeEvent?: (eventId: string) => void } = {},
  ) => {
    const { ordersStore, eventsStore, ledger, holds, cards, payments } = { ...ports, ...own };
    // A test may open thousands of processes in its own.
    const metrics = createMetrics({ ofProcess: false });
    const wake = () => {};
    const orders = createOrders({ store: ordersStore, events: orderEvents, clock, wake, metrics });
    const refunds = createRefundOrder({ orders, payments, units: ledger, holds, cards, clock, log, metrics });
    const deps = { orders, payments, units: ledger, holds, cards, refunds, clock, log, metrics };
    const advance = createAdvance(deps);
    const takeNews = createTakeNews({ orders, payments, clock, log, metrics });
    const applyEvent = createApplyEvent({
      events: eventsStore,
      orders,
      advance,
      takeNews,
      takeRefunds: order => refunds.takeIn(order),
      clock,
      log,
      metrics,
    });
    const checkout = createCheckout({
      orders,
      payments,
      holds,
      units: ledger,
      termsOf: dropId => Promise.resolve(dropTerms.get(dropId) ?? null),
      quotes,
      advance,
      wake,
      clock,
      log,
      paymentsAddress: { publishableKey: stripe.publishableKey, apiBase: stripe.url, scriptUrl: '' },
    });
    const relay = createRelay({
      orders,
      events: eventsStore,
      jobs: { addOrders: () => Promise.resolve(false), addEvents: () => Promise.resolve(false) },
      advance,
      applyEvent,
      clock,
      log,
    });
    const receive = createWebhook({
      stripe: stripeClient,
      secret: stripe.webhookSecret,
      events: eventsStore,
      ownsPayment: async paymentId => (await ordersStore.findByPayment(paymentId)) !== null,
      wake: jobs.wakeEvent ?? wake,
      log,
      metrics,
    });
    const unknown = createUnknownPayments({
      store: createUnknownPaymentsStore(connection),
      orders,
      payments,
      async pauseDrop(dropId) {
        await engine.live.steer(dropId, { action: 'pause' });
      },
      clock,
      log,
      metrics,
    });
    const sweeps = createSweeps({
      store: createSweepsStore(connection),
      lists: createPaymentLists(stripeClient),
      events: eventsStore,
      storeEvent: createStoreEvent({
        events: eventsStore,
        ownsPayment: async paymentId => (await ordersStore.findByPayment(paymentId)) !== null,
      }),
      wakeEvent: jobs.wakeEvent ?? wake,
      orders,
      isOurDrop: dropId => Promise.resolve(dropTerms.has(dropId)),
      takeNews,
      takeRefunds: order => refunds.takeIn(order),
      advance,
      unknown,
      clock,
      owner: randomUUID(),
      log,
      metrics,
    });
    const alarms = async () => {
      const { values } = await metrics.alarms.get();
      return values.map(({ labels }) => String(labels.what));
    };
    const refund = createRefund({ orders, advance, clock });
    return {
      orders,
      advance,
      refund,
      applyEvent,
      checkout,
      relay,
      receive,
      sweeps,
      unknown,
      metrics,
      alarms,
    };
  };
  const main = open({}, { wakeEvent: eventId => void main.applyEvent(eventId) });
  webhook = main.receive;

  const world = {
    ...main,
    ports,
    connection,
    stripeClient,
    engine,
    stripe,
    redis,
    mongoUri,
    quotes,
    clock,
    open,
    /** Those of another process: what is under way in one is unknown to the next. */
    newPayments: () => createPayments(stripeClient),
    /** Null: nobody listens, Stripe's webhooks are refused. */
    setWebhook(next: Webhook | null) {
      webhook = next;
    },
    /** Moves the engine's time, and each given drop's with it. */
    async forward(ms: number, ...drops: Drop[]) {
      aheadMs += ms;
      for (const drop of drops) await engine.setAheadMs(drop, aheadMs);
    },
    async drop(total: number, change: Partial<Drop> = {}): Promise<Drop> {
      const items = change.items ?? [
        { sku: skuOf('sku-a'), title: 'A', price: { amount: 1_000, currency: 'EUR' }, total, withdrawn: 0 },
      ];
      const drop = await engine.load({ items, perBuyerMax: 10, paymentWindowMs: 60_000, ...change });
      dropTerms.set(drop.dropId, drop);
      await engine.setAheadMs(drop, aheadMs);
      await ports.ledger.createUnits(
        drop.dropId,
        drop.items.map(item => ({ sku: item.sku, from: 1, to: item.total })),
      );
      return drop;
    },
    quoteFor(drop: Drop, buyerId: BuyerId, change: Partial<Quote> & { quantity?: number } = {}): Quote {
      const { quantity = 1, ...fields } = change;
      const item = drop.items[0];
      if (!item) throw new Error('a drop has items');
      const amount = item.price.amount * quantity;
      return {
        dropId: drop.dropId,
        buyerId,
        lines: [
          {
            sku: item.sku,
            title: item.title,
            quantity,
            unitAmount: item.price.amount,
            totalAmount: amount,
          },
        ],
        currency: item.price.currency,
        subtotalAmount: amount,
        discountAmount: 0,
        shippingAmount: 0,
        taxAmount: 0,
        taxIncluded: true,
        totalAmount: amount,
        shipping: 'standard',
        destination: { country: 'DE' },
        expiresAtMs: clock.now() + 600_000,
        ...fields,
      };
    },
    async hold(drop: Drop, change: Partial<Quote> & { quantity?: number } = {}): Promise<HeldCart> {
      const buyer = await engine.admitted(drop);
      const quote = world.quoteFor(drop, buyer.buyerId, change);
      const holdId = newHoldId();
      const placed = await engine.holds.place({
        holdId,
        dropId: drop.dropId,
        buyerId: buyer.buyerId,
        passExpiresAtMs: buyer.passExpiresAtMs,
        fingerprint: 'one',
        quoteExpiresAtMs: quote.expiresAtMs,
        frozen: JSON.stringify(quote),
        lines: quote.lines.map(({ sku, quantity }) => ({ sku, quantity })),
      });
      if (placed.kind !== 'held') throw new Error(`the hold was not placed: ${placed.kind}`);
      return { drop, buyerId: buyer.buyerId, holdId, orderId: orderIdOf(holdId), quote };
    },
    pay(
      cart: HeldCart,
      by: { checkout: typeof main.checkout } = main,
      more: { contact?: Contact; quote?: string } = {},
    ): Promise<PayOutcome> {
      return by.checkout.pay({ buyerId: cart.buyerId, holdId: cart.holdId, contact, ...more });
    },
    /** A payable hold; throws where it is anything else. */
    async payable(cart: HeldCart) {
      const outcome = await world.pay(cart);
      if (outcome.kind !== 'payable') throw new Error(`not payable but ${outcome.kind}`);
      return outcome;
    },
    /** As the buyer's page does it. */
    async confirm(clientSecret: string, method = 'pm_card_visa'): Promise<Record<string, unknown>> {
      const id = clientSecret.split('_secret_')[0];
      const response = await fetch(`${stripe.url}/v1/payment_intents/${id}/confirm`, {
        method: 'POST',
        headers: { authorization: `Bearer ${stripe.publishableKey}` },
        body: new URLSearchParams({ client_secret: clientSecret, payment_method: method }),
      });
      const answer: Record<string, unknown> = await response.json();
      return answer;
    },
    async order(orderId: OrderId): Promise<Order> {
      const order = await ports.ordersStore.find(orderId);
      if (!order) throw new Error('there is no such order');
      return order;
    },
    /** Runs the relay until the order says so. */
    async until(orderId: OrderId, is: (order: Order) => boolean, by = main): Promise<Order> {
      const deadline = Date.now() + 15_000;
      while (true) {
        const order = await ports.ordersStore.find(orderId);
        if (order && is(order)) return order;
        if (Date.now() > deadline) throw new Error(`still waiting: ${JSON.stringify(order)}`);
        await by.relay.tick();
        await new Promise(resolve => setTimeout(resolve, 15));
      }
    },
    /** Waits until a condition holds. */
    async eventually(what: string, holds: () => Promise<boolean>): Promise<void> {
      const deadline = Date.now() + 15_000;
      while (!(await holds())) {
        if (Date.now() > deadline) throw new Error(`it never came: ${what}`);
        await new Promise(resolve => setTimeout(resolve, 15));
      }
    },
    async books(orderId: OrderId) {
      const { paymentIntents, byStatus, totals } = await stripe.control.books({ order: orderId });
      const { captured = 0, refunded = 0, authorized = 0 } = totalsSchema.parse(totals)['eur'] ?? {};
      return { paymentIntents, byStatus, captured, refunded, authorized };
    },
    /** Of all orders of a drop that have a payment. */
    async booksOfDrop(dropId: DropId) {
      const { by } = await stripe.control.books({ drop: dropId }, 'order');
      return new Map(
        Object.entries(booksByOrderSchema.parse(by)).map(([orderId, { paymentIntents, totals }]) => {
          const { captured = 0, refunded = 0, authorized = 0 } = totals['eur'] ?? {};
          return [orderId, { paymentIntents, captured, refunded, authorized }];
        }),
      );
    },
    /** Forgets every order and payment so far; drops and holds stay in Redis, where they are in nobody's way. */
    async forget() {
      await Promise.all([
        ...['orders', 'stripeEvents', 'units'].map(name => collectionOf(connection, name).deleteMany({})),
        stripe.control.reset(),
      ]);
      dropTerms.clear();
    },
    async stock(drop: Drop) {
      const view = await engine.live.look(drop.dropId);
      const [item] = view?.stock ?? [];
      if (!item) throw new Error('the drop has no stock');
      const { available, held, sold, total } = item;
      return { available, held, sold, total };
    },
    async dispose() {
      sink.close();
      sink.closeAllConnections();
      await orderEvents.close();
      publisher.disconnect();
      subscriber.disconnect();
      await engine.close();
      await connection.close();
      await Promise.all([redis.dispose(), stripe.stop()]);
    },
  };
  return world;
}

export type CheckoutWorld = Awaited<ReturnType<typeof startCheckoutWorld>>;
