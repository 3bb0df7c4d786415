// The operator's live figures, over a drop that is sold: each buyer is counted where they stand.
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createCallFigures } from '../../server/admin/call-figures.ts';
import { createStats } from '../../server/admin/stats.ts';
import type { DropStats } from '../../server/admin/stats.router.ts';
import { createDropFeeds } from '../../server/drops/feeds.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { type CheckoutWorld, quietLog, startCheckoutWorld } from '../support/checkout-world.ts';

describe("a drop's live figures", () => {
  let world: CheckoutWorld;
  let events: Redis;
  beforeAll(async () => {
    world = await startCheckoutWorld();
    events = new Redis(world.redis.url);
  });
  afterAll(async () => {
    events.disconnect();
    await world.dispose();
  });

  it('follow a buyer from the queue to the paid order, and end with their watcher', async () => {
    const feeds = createDropFeeds({ live: world.engine.live, events, log: quietLog });
    const metrics = createMetrics();
    const stats = createStats({
      feeds,
      countOrders: dropId => world.orders.countsOfDrop(dropId),
      callFigures: createCallFigures(metrics, world.clock),
    });
    const drop = await world.drop(3);
    const stop = new AbortController();
    let latest: DropStats | null = null;
    const watching = (async () => {
      for await (const { data } of stats.watch(drop.dropId, stop.signal)) latest = data;
    })();
    const shows = (figures: Partial<DropStats>) =>
      world.eventually(JSON.stringify(figures), () =>
        Promise.resolve(
          latest !== null &&
            Object.entries(figures).every(([name, value]) => Reflect.get(Object(latest), name) === value),
        ),
      );
    await shows({ state: 'open', waiting: 0, holding: 0, paying: 0, paid: 0 });
    await world.engine.admitted(drop);
    await shows({ shopping: 1 });
    const cart = await world.hold(drop);
    await shows({ shopping: 1, holding: 1 });
    const { clientSecret } = await world.payable(cart);
    await shows({ holding: 0, paying: 1 });
    metrics.countCall('hold.place', 'INTERNAL_SERVER_ERROR');
    metrics.timeCall('hold.place', 0.002);
    await world.confirm(clientSecret);
    await world.until(cart.orderId, ({ status, dueAtMs }) => status === 'paid' && dueAtMs === null);
    await shows({ paying: 0, paid: 1 });
    expect(latest).toMatchObject({
      stock: [{ total: 3, available: 2, held: 0, sold: 1 }],
      orders: { paid: 1, pending: 0 },
      calls: { targetPerMin: drop.ratePerSec * 60 },
      process: { errorsPerMin: 1, p50Ms: 3, p95Ms: 3 },
    });
    stop.abort();
    await watching;
    feeds.stop();
  });
});
