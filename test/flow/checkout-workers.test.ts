// The worker program itself, with its real jobs: it works off what it is asked to, finds what nobody asked for, and may
// be killed in the middle of it.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManagedProcess } from '../../scripts/supervisor/managed-process.ts';
import { createOrderJobs } from '../../server/checkout/order-jobs.ts';
import type { OrderId } from '../../server/ids.ts';
import type { Orders } from '../../server/orders/orders.ts';
import { createQueue } from '../../server/platform/jobs.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createRelay } from '../../workers/relay.ts';
import {
  type CheckoutWorld,
  type HeldCart,
  quietLog,
  startCheckoutWorld,
} from '../support/checkout-world.ts';
import { startEmbeddedRedis } from '../support/embedded-redis.ts';

const program = path.resolve(import.meta.dirname, '../../workers/main.ts');

describe('the worker program', () => {
  let world: CheckoutWorld;
  let jobsRedis: Awaited<ReturnType<typeof startEmbeddedRedis>>;
  const started: ManagedProcess[] = [];

  beforeAll(async () => {
    [world, jobsRedis] = await Promise.all([startCheckoutWorld(), startEmbeddedRedis()]);
  });
  afterAll(async () => {
    await Promise.all(started.map(each => each.stop()));
    await Promise.all([world.dispose(), jobsRedis.dispose()]);
  });

  async function startWorker(): Promise<ManagedProcess> {
    const key = randomBytes(24).toString('hex');
    const worker = new ManagedProcess(
      {
        name: 'worker',
        argv: [program],
        env: {
          ...process.env,
          LOG_LEVEL: 'warn',
          REDIS_URL: world.redis.url,
          REDIS_JOBS_URL: jobsRedis.url,
          MONGODB_URI: world.mongoUri,
          // Nobody is there: search lags, and nothing else minds.
          TYPESENSE_URL: 'http://127.0.0.1:9',
          TYPESENSE_API_KEY: key,
          STRIPE_SECRET_KEY: world.stripe.secretKey,
          STRIPE_PUBLISHABLE_KEY: world.stripe.publishableKey,
          STRIPE_WEBHOOK_SECRET: world.stripe.webhookSecret,
          STRIPE_API_BASE: world.stripe.url,
          ADMIN_KEY: key,
          TOKEN_SECRET: key,
          LUA_CLOCK: 'test',
        },
        stopWithinMs: 10_000,
      },
      () => {},
      { restart: false },
    );
    await worker.start();
    started.push(worker);
    return worker;
  }

  /** Waits without helping: the worker alone moves these orders. */
  async function settled(carts: readonly HeldCart[]): Promise<void> {
    for (const cart of carts) {
      await world.eventually('the settled order', async () => {
        const order = await world.order(cart.orderId);
        return order.status === 'paid' && order.dueAtMs === null;
      });
    }
  }

  it('works off jobs: a crowd pays, each order is captured once, each unit sold once', async () => {
    await startWorker();
    const connection = connectRedis({ url: jobsRedis.url, role: 'jobs', log: quietLog });
    const orders = createQueue<{ orderId: HeldCart['orderId'] }>('orders', connection);
    const events = createQueue<{ eventId: string }>('events', connection);
    const jobs = createOrderJobs({ orders, events, connection, log: quietLog });
    world.setWebhook(world.open({}, { wakeEvent: jobs.wakeEvent }).receive);

    const count = 40;
    const drop = await world.drop(count, { activeMax: 1_000, ratePerSec: 10_000 });
    const carts: HeldCart[] = [];
    for (let index = 0; index < count; index += 1) carts.push(await world.hold(drop));
    await Promise.all(carts.map(async cart => world.confirm((await world.payable(cart)).clientSecret)));
    await settled(carts);
    world.setWebhook(world.receive);
    await Promise.all([orders.close(), events.close()]);
    connection.disconnect();

    const serials = await Promise.all(
      carts.map(async cart => (await world.order(cart.orderId)).serials[0]?.serial),
    );
    expect(serials.toSorted((a = 0, b = 0) => a - b)).toEqual(
      Array.from({ length: count }, (_, index) => index + 1),
    );
    expect(await world.stock(drop)).toEqual({ available: 0, held: 0, sold: count, total: count });
    const { totals, byStatus } = await world.stripe.control.books({ drop: drop.dropId });
    expect(byStatus).toEqual({ succeeded: count });
    expect(totals).toMatchObject({ eur: { captured: count * 1_000, refunded: 0 } });
  });

  it('finds what nobody asked for, also after it was killed in the middle of it', async () => {
    const [first] = started;
    const drop = await world.drop(10);
    const carts: HeldCart[] = [];
    for (let index = 0; index < 10; index += 1) carts.push(await world.hold(drop));
    world.setWebhook(world.open().receive);
    await Promise.all(carts.map(async cart => world.confirm((await world.payable(cart)).clientSecret)));
    await world.eventually('the first of them', async () => {
      const states = await Promise.all(carts.map(cart => world.order(cart.orderId)));
      return states.some(order => order.status !== 'pending');
    });
    first?.kill('SIGKILL');
    await startWorker();
    await settled(carts);
    world.setWebhook(world.receive);
    expect(await world.stock(drop)).toEqual({ available: 0, held: 0, sold: 10, total: 10 });
    expect((await world.stripe.control.books({ drop: drop.dropId }))['byStatus']).toEqual({ succeeded: 10 });
  });

  it("runs the due steps itself while the jobs' Redis is away", async () => {
    jobsRedis.kill('SIGKILL');
    const drop = await world.drop(5);
    const carts: HeldCart[] = [];
    for (let index = 0; index < 5; index += 1) carts.push(await world.hold(drop));
    world.setWebhook(world.open().receive);
    await Promise.all(carts.map(async cart => world.confirm((await world.payable(cart)).clientSecret)));
    await settled(carts);
    await jobsRedis.start();
    world.setWebhook(world.receive);
    expect(await world.stock(drop)).toMatchObject({ available: 0, sold: 5 });
  });

  /** A queue that nobody works off, a relay that asks for its jobs, and an order that is authorised and due. */
  async function outbox(relayed: (orders: Orders) => Pick<Orders, 'listDue'>) {
    await Promise.all(started.map(each => each.stop()));
    const connection = connectRedis({ url: jobsRedis.url, role: 'jobs', log: quietLog });
    const queue = createQueue<{ orderId: OrderId }>('orders', connection);
    const events = createQueue<{ eventId: string }>('events', connection);
    const relay = createRelay({
      orders: relayed(world.orders),
      events: { listDue: () => Promise.resolve([]) },
      jobs: createOrderJobs({ orders: queue, events, connection, log: quietLog }),
      advance: () => Promise.resolve(null),
      applyEvent: world.applyEvent,
      clock: world.clock,
      log: quietLog,
    });
    world.setWebhook(null);
    const { orderId, ...cart } = await world.hold(await world.drop(1));
    const { clientSecret } = await world.payable({ orderId, ...cart });
    await world.confirm(clientSecret);
    await world.pay({ orderId, ...cart });
    await world.eventually('the queue at work', () => Promise.resolve(connection.status === 'ready'));
    return {
      relay,
      orderId,
      waiting: async () =>
        (await queue.getJobs(['waiting', 'active'])).filter(job => job.data.orderId === orderId).length,
      loseAll: () => queue.obliterate({ force: true }),
      close: async () => {
        world.setWebhook(world.receive);
        await Promise.all([queue.close(), events.close()]);
        connection.disconnect();
      },
    };
  }

  it('asks for a job again until its effect stands, whatever the queue lost, refused or ran twice', async () => {
    const { relay, orderId, waiting, loseAll, close } = await outbox(orders => orders);
    // Asked for three times under one id: one job, the others are refused in silence.
    for (let looks = 0; looks < 3; looks += 1) await relay.tick();
    expect(await waiting()).toBe(1);
    // Lost with everything else that the queue had, it is asked for again.
    await loseAll();
    expect(await waiting()).toBe(0);
    await relay.tick();
    expect(await waiting()).toBe(1);
    // A job that stalled runs twice, the second time beside the first.
    await Promise.all([world.advance(orderId), world.advance(orderId)]);
    await world.until(orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    expect(await world.books(orderId)).toMatchObject({ paymentIntents: 1, captured: 1_000 });
    // Its effect stands: nobody asks any more.
    await loseAll();
    await relay.tick();
    expect(await waiting()).toBe(0);
    await close();
  });

  it('would leave an order standing, if it asked for each job once: the control', async () => {
    const asked = new Set<OrderId>();
    const { relay, orderId, waiting, loseAll, close } = await outbox(orders => ({
      listDue: async count => {
        const due = await orders.listDue(count);
        const others = due.filter(each => !asked.has(each.orderId));
        for (const each of others) asked.add(each.orderId);
        return others;
      },
    }));
    await relay.tick();
    expect(await waiting()).toBe(1);
    await loseAll();
    await relay.tick();
    expect(await waiting()).toBe(0);
    expect((await world.order(orderId)).dueAtMs).not.toBeNull();
    await close();
  });
});
