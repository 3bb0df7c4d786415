import { callTRPCProcedure } from '@trpc/server';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { createAdminProductRouter, createCatalogRouter } from '../../server/catalog/catalog.router.ts';
import type { AuditEntry } from '../../server/admin/audit-log.ts';
import type { Catalog } from '../../server/catalog/catalog.ts';
import { PublicError } from '../../server/errors.ts';
import { newBuyerId, productIdSchema, skuSchema } from '../../server/ids.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { type Caller, type Context, router } from '../../server/trpc.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  quietLog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';

let services: CatalogServices;
let here: OpenCatalog;
/** Another process' view of the same catalog. */
let there: OpenCatalog;
let readsHere = 0;
beforeAll(async () => {
  services = await startCatalogServices();
  here = await services.openCatalog({ onRead: () => void (readsHere += 1) });
  there = await services.openCatalog();
});
afterAll(() => services.dispose());

const id = (text: string) => productIdSchema.parse(text);
const sku = (text: string) => skuSchema.parse(text);

async function refusalOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => 'no refusal',
    (thrown: unknown) => thrown,
  );
  return error instanceof PublicError ? `${error.reason}: ${error.message}` : String(error);
}

describe('a product', () => {
  test('is read as it was written, and its rev counts its changes', async () => {
    const { catalog } = here;
    const input = someProduct('lamp', {
      title: '  Lamp  ',
      description: 'Warm light.\nThree steps.',
      brand: 'Lumen & Söhne',
      categories: ['Home', 'Light'],
      images: ['https://example.com/lamp.jpg', '/img/lamp.svg'],
      popularity: 7,
      variants: [
        {
          sku: 'lamp-s',
          title: 'Small',
          price: { amount: 2999, currency: 'usd' },
          attributes: { colour: 'teal', sizeMm: 120 },
        },
        { sku: 'lamp-l', price: { amount: 4999, currency: 'USD' } },
      ],
    });
    expect(await catalog.upsert(input)).toEqual({ rev: 1 });
    expect(await catalog.upsert(input)).toEqual({ rev: 1 });
    expect(await catalog.product(id('lamp'))).toMatchObject({ ...input, title: 'Lamp', rev: 1 });
    expect(await catalog.upsert({ ...input, title: 'Lamp II' })).toEqual({ rev: 2 });
    expect(await catalog.product(id('lamp'))).toMatchObject({ title: 'Lamp II', rev: 2 });
    const { description: _description, brand: _brand, ...bare } = input;
    expect(await catalog.upsert(bare)).toEqual({ rev: 3 });
    const read = await catalog.product(id('lamp'));
    expect(read).not.toHaveProperty('description');
    expect(read).not.toHaveProperty('brand');
  });

  test('is not overwritten by one who has read an older rev', async () => {
    const { catalog } = here;
    await catalog.upsert(someProduct('chair'), { expectedRev: 0 });
    expect(await refusalOf(catalog.upsert(someProduct('chair', { title: 'B' }), { expectedRev: 0 }))).toBe(
      'conflict: The product is at rev 1: read it again, then change it',
    );
    expect(await catalog.upsert(someProduct('chair', { title: 'B' }), { expectedRev: 1 })).toEqual({
      rev: 2,
    });
  });

  test('loses no change of many that come at once', async () => {
    const { catalog } = here;
    const revs = await Promise.all(
      Array.from({ length: 4 }, (_, index) =>
        catalog.upsert(someProduct('busy', { title: `Busy ${index}` })),
      ),
    );
    expect(revs.map(({ rev }) => rev).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  test('cannot take a SKU that is another product’s, until that one is removed', async () => {
    const { catalog } = here;
    const shared = { variants: [{ sku: 'one-of-a-kind', price: { amount: 1, currency: 'USD' } }] };
    await catalog.upsert(someProduct('first', shared));
    const refused = 'conflict: SKU one-of-a-kind belongs to product first';
    expect(await refusalOf(catalog.upsert(someProduct('second', shared)))).toBe(refused);
    await catalog.upsert(someProduct('second'));
    expect(await refusalOf(catalog.upsert(someProduct('second', shared)))).toBe(refused);
    expect(await catalog.product(id('second'))).toMatchObject({ rev: 1 });

    expect(await catalog.remove(id('first'))).toBe(true);
    expect(await catalog.remove(id('first'))).toBe(false);
    expect(await catalog.product(id('first'))).toBeNull();
    expect(await catalog.upsert(someProduct('second', shared))).toEqual({ rev: 2 });
    expect(await refusalOf(catalog.upsert(someProduct('first', shared)))).toContain('conflict');
    await catalog.upsert(someProduct('first'));
    expect(await catalog.product(id('first'))).toMatchObject({ title: 'Product first' });
  });

  test('of a batch that is refused takes no other with it', async () => {
    const outcomes = await here.catalog.upsertMany([
      someProduct('batch-a'),
      someProduct('batch-b', { variants: [{ sku: 'batch-a-one', price: { amount: 1, currency: 'USD' } }] }),
      someProduct('batch-c'),
    ]);
    expect(outcomes).toEqual([
      { kind: 'created', rev: 1 },
      { kind: 'sku-taken', sku: 'batch-a-one', by: 'batch-a' },
      { kind: 'created', rev: 1 },
    ]);
  });

  test('is found by its SKUs, with a title that names the variant', async () => {
    const { catalog } = here;
    const price = { amount: 500, currency: 'EUR' };
    await catalog.upsert(
      someProduct('mug', {
        title: 'Mug',
        variants: [
          { sku: 'mug-red', title: 'Red', price },
          { sku: 'mug', price },
        ],
      }),
    );
    expect(await catalog.variantsBySku([sku('mug-red'), sku('mug'), sku('nothing')])).toEqual(
      new Map([
        [
          'mug-red',
          { productId: 'mug', title: 'Mug – Red', price, prices: [], tiers: [], taxClass: 'standard' },
        ],
        ['mug', { productId: 'mug', title: 'Mug', price, prices: [], tiers: [], taxClass: 'standard' }],
      ]),
    );
  });
});

describe('what a process remembers', () => {
  test('is read once, however many ask at the same time', async () => {
    await here.catalog.upsert(someProduct('crowded'));
    readsHere = 0;
    const found = await Promise.all(Array.from({ length: 1000 }, () => here.catalog.product(id('crowded'))));
    expect(found.every(product => product?.rev === 1)).toBe(true);
    expect(readsHere).toBe(1);
    await here.catalog.product(id('crowded'));
    expect(readsHere).toBe(1);
  });

  test('is forgotten when another process changes the product', async () => {
    await here.catalog.upsert(someProduct('shared'));
    expect(await here.catalog.product(id('shared'))).toMatchObject({ rev: 1 });
    await there.catalog.upsert(someProduct('shared', { title: 'Changed elsewhere' }));
    await vi.waitFor(async () => {
      expect(await here.catalog.product(id('shared'))).toMatchObject({ title: 'Changed elsewhere' });
    });
  });

  test('is forgotten altogether when changes may have been missed', async () => {
    await here.catalog.upsert(someProduct('missed'));
    expect(await here.catalog.product(id('missed'))).toMatchObject({ rev: 1 });
    here.events.disconnect();
    await there.catalog.upsert(someProduct('missed', { title: 'Changed unheard' }));
    expect(await here.catalog.product(id('missed'))).toMatchObject({ rev: 1 });
    await here.events.connect();
    await vi.waitFor(async () => {
      expect(await here.catalog.product(id('missed'))).toMatchObject({ title: 'Changed unheard' });
    });
  });
});

describe('the procedures', () => {
  const audited: AuditEntry[] = [];
  function contextFor(caller: Caller): Context {
    return {
      caller,
      address: '127.0.0.1',
      userAgent: undefined,
      log: quietLog,
      metrics: createMetrics(),
      rates: { consume: async () => undefined },
      audit: { append: entry => void audited.push(entry) },
    };
  }
  const admin = contextFor({ kind: 'admin', name: 'test', role: 'admin' });
  const buyer = contextFor({ kind: 'buyer', buyerId: newBuyerId(), expiresAtMs: Number.MAX_SAFE_INTEGER });

  async function call(
    catalog: Catalog,
    asked: { path: string; input?: unknown; ctx?: Context },
  ): Promise<unknown> {
    const api = router({
      catalog: createCatalogRouter(catalog),
      admin: router({ product: createAdminProductRouter(catalog) }),
    });
    const isMutation = /upsert|remove/.test(asked.path);
    return callTRPCProcedure({
      router: api,
      path: asked.path,
      getRawInput: async () => asked.input,
      ctx: asked.ctx ?? admin,
      type: isMutation ? 'mutation' : 'query',
      signal: undefined,
      batchIndex: 0,
    });
  }

  const product = {
    productId: 'api-1',
    title: 'By the API',
    variants: [{ sku: 'api-1', price: { amount: 1, currency: 'USD' } }],
  };

  test('write for the shop alone and read for everybody', async () => {
    const { catalog } = here;
    expect(await call(catalog, { path: 'admin.product.upsert', input: product })).toEqual({
      productId: 'api-1',
      rev: 1,
    });
    await expect(call(catalog, { path: 'admin.product.upsert', input: product, ctx: buyer })).rejects.toThrow(
      'admin key',
    );
    expect(
      await call(catalog, { path: 'catalog.product', input: { id: 'api-1' }, ctx: buyer }),
    ).toMatchObject({
      title: 'By the API',
      rev: 1,
    });
    expect(await refusalOf(call(catalog, { path: 'catalog.product', input: { id: 'nothing' } }))).toContain(
      'not-found',
    );
    expect(await call(catalog, { path: 'admin.product.remove', input: { productId: 'api-1' } })).toEqual({
      kind: 'removed',
    });
    expect(await call(catalog, { path: 'admin.product.remove', input: { productId: 'api-1' } })).toEqual({
      kind: 'absent',
    });
  });

  test.each([
    ['catalog.product', { id: { $ne: '' } }],
    ['catalog.product', { id: 'a', secret: 1 }],
    ['catalog.list', { cursor: { $gt: '' } }],
    ['catalog.list', { limit: 1001 }],
    ['catalog.list', { cursor: 'bm90IG91cnM' }],
    ['admin.product.upsert', { ...product, price: 1 }],
    ['admin.product.upsert', { ...product, rev: 9 }],
    ['admin.product.upsert', { ...product, title: { $set: 1 } }],
    ['admin.product.upsert', { ...product, title: ' ' }],
    ['admin.product.upsert', { ...product, title: 'a\u202eb' }],
    ['admin.product.upsert', { ...product, brand: 'a`b' }],
    ['admin.product.upsert', { ...product, images: ['javascript:alert(1)'] }],
    ['admin.product.upsert', { ...product, images: ['//evil.example/x.js'] }],
    ['admin.product.upsert', { ...product, variants: [] }],
    ['admin.product.upsert', { ...product, variants: [...product.variants, ...product.variants] }],
    [
      'admin.product.upsert',
      { ...product, variants: [{ sku: 'a/b', price: { amount: 1, currency: 'USD' } }] },
    ],
    [
      'admin.product.upsert',
      { ...product, variants: [{ sku: 'a', price: { amount: -1, currency: 'USD' } }] },
    ],
    [
      'admin.product.upsert',
      { ...product, variants: [{ sku: 'a', price: { amount: 0.5, currency: 'USD' } }] },
    ],
    [
      'admin.product.upsert',
      { ...product, variants: [{ ...product.variants[0], attributes: { $where: 'x' } }] },
    ],
    [
      'admin.product.upsert',
      { ...product, variants: [{ ...product.variants[0], attributes: { constructor: 'x' } }] },
    ],
    [
      'admin.product.upsert',
      {
        ...product,
        variants: [
          { sku: 'a', price: { amount: 1, currency: 'USD' } },
          { sku: 'b', price: { amount: 1, currency: 'EUR' } },
        ],
      },
    ],
  ])('refuse %s with %j', async (path, input) => {
    await expect(call(here.catalog, { path, input })).rejects.toMatchObject({ code: 'BAD_REQUEST' });
  });

  test('list every product once, a page at a time, while others are added', async () => {
    const { catalog } = here;
    await catalog.upsertMany(
      Array.from({ length: 25 }, (_, index) => someProduct(`page-${String(index).padStart(2, '0')}`)),
    );
    const { products } = await catalog.counts();
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await catalog.list({ cursor, limit: 7 });
      seen.push(...page.items.map(item => item.productId));
      if (!cursor) await catalog.upsert(someProduct('0-before-the-cursor'));
      cursor = page.nextCursor;
    } while (cursor);
    expect(seen).toHaveLength(products);
    expect(new Set(seen).size).toBe(products);
  });
});
