// What is remembered of products on the way to MongoDB: over HTTP, in each process, and in Redis by all of them together.
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { createCatalogRouter } from '../../server/catalog/catalog.router.ts';
import { createSharedProducts, type SharedProducts } from '../../server/catalog/shared-products.store.ts';
import { newBuyerId, productIdSchema } from '../../server/ids.ts';
import { sharedProductKey } from '../../server/platform/keys.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createHttpServer } from '../../server/transport/http.ts';
import { createOriginCheck } from '../../server/transport/origin.ts';
import { publicProcedure, router, type Caller } from '../../server/trpc.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  quietLog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';

let services: CatalogServices;
let redis: Redis;
let shared: SharedProducts;
const processes: OpenCatalog[] = [];
let readsCount = 0;
let redisHits = 0;
/** What the next read of MongoDB waits for, between what it found and its use. */
let heldUp: Promise<void> | undefined;

beforeAll(async () => {
  services = await startCatalogServices();
  redis = connectRedis({ url: services.redis.url, role: 'limits', log: quietLog });
  shared = createSharedProducts({ redis, onHit: () => (redisHits += 1) });
  const onRead = () => {
    readsCount += 1;
    const waiting = heldUp;
    heldUp = undefined;
    return waiting;
  };
  for (let index = 0; index < 4; index += 1) processes.push(await services.openCatalog({ shared, onRead }));
}, 60_000);
afterAll(async () => {
  redis.disconnect();
  await services.dispose();
});

const id = (text: string) => productIdSchema.parse(text);
const at = (index: number) => {
  const open = processes[index];
  if (!open) throw new Error('there are four processes');
  return open;
};

function held(): { release: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  heldUp = promise;
  return { release: resolve };
}

/** Until every process has forgotten what was announced so far: announcements are heard in their order. */
async function allHaveHeard(): Promise<void> {
  const listening = processes.slice(1);
  for (const { catalog } of listening) await catalog.product(id('barrier'));
  const { rev } = await at(0).catalog.upsert(
    someProduct('barrier', { title: `Barrier ${performance.now()}` }),
  );
  const back = await at(3).catalog.upsert(someProduct('barrier-back', { title: `Back ${rev}` }));
  await vi.waitFor(async () => {
    for (const { catalog } of listening) expect((await catalog.product(id('barrier')))?.rev).toBe(rev);
    expect((await at(0).catalog.product(id('barrier-back')))?.rev).toBe(back.rev);
  });
}

describe('a thousand who ask for a product that nobody remembers', () => {
  const thousandAsk = async (of: readonly OpenCatalog[], productId: string) => {
    await at(0).store.write([someProduct(productId)], { nowMs: 1 });
    readsCount = 0;
    const asked = Array.from({ length: 1000 / of.length }, () =>
      of.map(({ catalog }) => catalog.product(id(productId))),
    ).flat();
    expect((await Promise.all(asked)).every(product => product?.rev === 1)).toBe(true);
    return readsCount;
  };

  test('in one process and in four cause one read of MongoDB', async () => {
    expect(await thousandAsk(processes.slice(0, 1), 'crowd-one')).toBe(1);
    expect(await thousandAsk(processes, 'crowd-four')).toBe(1);
  });

  test('cause one in each process where Redis does not stand between', async () => {
    const alone = await Promise.all(
      [1, 2, 3, 4].map(() => services.openCatalog({ onRead: () => void (readsCount += 1) })),
    );
    expect(await thousandAsk(alone, 'crowd-apart')).toBe(4);
  });

  test('would cause a thousand without any of it', async () => {
    readsCount = 0;
    await Promise.all(Array.from({ length: 1000 }, () => at(0).store.read(id('crowd-one'))));
    expect(readsCount).toBe(1000);
  });
});

describe('what all processes remember together', () => {
  test('is found by a process that has never read it, absent products too', async () => {
    await at(0).store.write([someProduct('together')], { nowMs: 1 });
    await at(0).catalog.product(id('together'));
    await at(0).catalog.product(id('nowhere'));
    readsCount = 0;
    redisHits = 0;
    expect(await at(1).catalog.product(id('together'))).toEqual(await at(0).catalog.product(id('together')));
    expect(await at(1).catalog.product(id('nowhere'))).toBeNull();
    expect([readsCount, redisHits]).toEqual([0, 2]);
  });

  test('is not a state that changed while it was being read', async () => {
    await at(0).store.write([someProduct('raced')], { nowMs: 1 });
    const { release } = held();
    const slow = at(0).catalog.product(id('raced'));
    await vi.waitFor(async () => expect(await redis.get(sharedProductKey(id('raced')))).toMatch(/^lease:/));
    await at(1).catalog.upsert(someProduct('raced', { title: 'Changed meanwhile' }));
    await allHaveHeard();
    release();
    expect(await slow).toMatchObject({ rev: 1 });
    for (const { catalog } of processes)
      expect(await catalog.product(id('raced'))).toMatchObject({ title: 'Changed meanwhile' });
  });

  test('is forgotten by all when one process changes or removes it', async () => {
    await at(0).catalog.upsert(someProduct('known'));
    for (const { catalog } of processes) await catalog.product(id('known'));
    await at(2).catalog.upsert(someProduct('known', { title: 'Known II' }));
    await vi.waitFor(async () => {
      for (const { catalog } of processes)
        expect(await catalog.product(id('known'))).toMatchObject({ title: 'Known II' });
    });
    await at(3).catalog.upsert(someProduct('known', { title: 'Known II', status: 'archived' }));
    await vi.waitFor(async () => {
      for (const { catalog } of processes) expect(await catalog.product(id('known'))).toBeNull();
    });
  });

  test('is forgotten when a command changes it that knows nothing of what is shared', async () => {
    const command = await services.openCatalog();
    await command.catalog.upsert(someProduct('by-command'));
    for (const { catalog } of processes) await catalog.product(id('by-command'));
    await command.catalog.upsert(someProduct('by-command', { title: 'Imported' }));
    await vi.waitFor(async () => {
      for (const { catalog } of processes)
        expect(await catalog.product(id('by-command'))).toMatchObject({ title: 'Imported' });
    });
  });

  test('is forgotten where who changed it died before it could say so, as soon as the indexer comes by', async () => {
    await at(0).catalog.upsert(someProduct('unsaid'));
    // Or the news that it was made could still be under way, and stand for what is never said.
    await allHaveHeard();
    for (const { catalog } of processes) await catalog.product(id('unsaid'));
    await at(0).store.write([someProduct('unsaid', { title: 'Written, then killed' })], { nowMs: 2 });
    expect(await at(1).catalog.product(id('unsaid'))).toMatchObject({ rev: 1 });
    await services.openSearch(at(3).catalog).indexer.run();
    await vi.waitFor(async () => {
      for (const { catalog } of processes)
        expect(await catalog.product(id('unsaid'))).toMatchObject({ rev: 2 });
    });
  });

  test('is done without where its Redis is away, and not believed afterwards where it could not be forgotten', async () => {
    const far = connectRedis({ url: 'redis://127.0.0.1:1', role: 'limits', log: quietLog });
    const away = await services.openCatalog({ shared: createSharedProducts({ redis: far }) });
    await away.catalog.upsert(someProduct('without'));
    expect(await away.catalog.product(id('without'))).toMatchObject({ rev: 1 });
    await away.catalog.upsert(someProduct('without', { title: 'Without II' }));
    expect(await away.catalog.product(id('without'))).toMatchObject({ title: 'Without II' });
    far.disconnect();

    let isFailing = false;
    const failing = new Proxy(redis, {
      get: (target, name) =>
        isFailing && name === 'del' ? () => Promise.reject(new Error('away')) : Reflect.get(target, name),
    });
    const doubting = await services.openCatalog({ shared: createSharedProducts({ redis: failing }) });
    await doubting.catalog.upsert(someProduct('doubted'));
    await doubting.catalog.product(id('doubted'));
    isFailing = true;
    await doubting.store.write([someProduct('doubted', { title: 'Doubted II' })], { nowMs: 2 });
    await doubting.catalog.upsert(someProduct('doubted', { title: 'Doubted III' }));
    expect(await doubting.catalog.product(id('doubted'))).toMatchObject({ title: 'Doubted III' });
  });

  test('of another version of the engine is nothing', async () => {
    await at(0).store.write([someProduct('odd')], { nowMs: 1 });
    await redis.set(sharedProductKey(id('odd')), '{"productId":"odd"}', 'PX', 10_000);
    expect(await at(0).catalog.product(id('odd'))).toMatchObject({ rev: 1 });
    await redis.set(sharedProductKey(id('odd')), 'no JSON', 'PX', 10_000);
    expect(await at(1).catalog.product(id('odd'))).toMatchObject({ rev: 1 });
  });
});

describe('over HTTP', () => {
  const metrics = createMetrics();
  let server: Server;
  let base: string;
  let caller: Caller = { kind: 'nobody', why: 'no-token' };
  beforeAll(async () => {
    server = createHttpServer({
      router: router({
        catalog: createCatalogRouter(at(0).catalog),
        // As `drop.get`, which says what time it is.
        clock: publicProcedure.query(() => ({ serverTimeMs: 1 })),
      }),
      makeContext: async () => ({
        caller,
        address: '127.0.0.1',
        userAgent: undefined,
        log: quietLog,
        metrics,
        rates: { consume: async () => undefined },
        audit: { append: () => undefined },
      }),
      checkOrigin: createOriginCheck([]),
      clock: { now: Date.now },
      notReady: async () => null,
      metrics,
      webhook: async () => ({ status: 200, body: '' }),
      serveProof: async (_req, res) => void res.end(),
      paymentOrigins: [],
      pagesFolder: '/nowhere',
      log: quietLog,
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = z.object({ port: z.int() }).parse(server.address());
    base = `http://127.0.0.1:${port}/trpc/`;
    await at(0).catalog.upsert(someProduct('paged'));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const input = (value: unknown) => `input=${encodeURIComponent(JSON.stringify(value))}`;
  const paged = `catalog.product?${input({ id: 'paged' })}`;
  async function get(path: string, headers: Record<string, string> = {}) {
    const response = await fetch(base + path, { headers });
    const { status } = response;
    const header = (name: string) => response.headers.get(name);
    return {
      status,
      tag: header('etag'),
      keeping: header('cache-control'),
      header,
      body: await response.text(),
    };
  }

  test('a public answer may be kept for a second, and is sent once to who asks with its tag', async () => {
    const first = await get(paged);
    expect(first).toMatchObject({ status: 200, keeping: 'public, max-age=0, s-maxage=1, must-revalidate' });
    for (const names of [first.tag, `W/${first.tag}`, `"x", ${first.tag}`, '*']) {
      const again = await get(paged, { 'if-none-match': String(names) });
      expect(again).toMatchObject({ status: 304, body: '', tag: first.tag, keeping: first.keeping });
      expect(again.header('content-type')).toBeNull();
      expect(again.header('x-content-type-options')).toBe('nosniff');
      expect(again.header('vary')).toBe(first.header('vary'));
    }
    expect(await get(paged, { 'if-none-match': '"another"' })).toMatchObject({
      status: 200,
      body: first.body,
    });
    await at(0).catalog.upsert(someProduct('paged', { title: 'Paged II' }));
    const changed = await get(paged, { 'if-none-match': String(first.tag) });
    expect(changed.status).toBe(200);
    expect(changed.tag).not.toBe(first.tag);
    expect(await metrics.registry.metrics()).toContain(
      'doorbuster_cache_reads_total{cache="http",by="validated"} 4',
    );
  });

  test('an answer to who showed a token is kept by nobody in between', async () => {
    const callers: Caller[] = [
      { kind: 'buyer', buyerId: newBuyerId(), expiresAtMs: Number.MAX_SAFE_INTEGER },
      { kind: 'admin', name: 'test', role: 'admin' },
      { kind: 'nobody', why: 'bad-token' },
    ];
    try {
      for (caller of callers) expect((await get(paged)).keeping).toBe('private, no-cache');
    } finally {
      caller = { kind: 'nobody', why: 'no-token' };
    }
  });

  test('errors, what is not the same for everybody, and a batch with any of these are not kept', async () => {
    const absent = `catalog.product?${input({ id: 'absent' })}`;
    const mixed = `catalog.product,clock?batch=1&${input({ 0: { id: 'paged' } })}`;
    const partly = `catalog.product,catalog.product?batch=1&${input({ 0: { id: 'paged' }, 1: { id: 'absent' } })}`;
    for (const path of [absent, 'clock', mixed, partly, `catalog.product?${input({ id: 7 })}`]) {
      const answer = await get(path, { 'if-none-match': '*' });
      expect(answer).toMatchObject({ keeping: 'no-store', tag: null });
      expect(answer.status).not.toBe(304);
    }
    const whole = `catalog.product,catalog.list?batch=1&${input({ 0: { id: 'paged' } })}`;
    expect((await get(whole)).keeping).toContain('public');
  });
});
