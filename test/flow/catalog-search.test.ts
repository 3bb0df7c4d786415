import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { importProducts } from '../../scripts/import/import-products.ts';
import { outcomeOf } from '../../server/catalog/import-outcome.ts';
import { dropIdSchema, productIdSchema, type Sku, skuSchema } from '../../server/ids.ts';
import { createQueue } from '../../server/platform/jobs.ts';
import { collectionOf } from '../../server/platform/mongo.ts';
import { connectRedis } from '../../server/platform/redis.ts';
import { createIndexHint } from '../../server/search/index-hint.ts';
import type { ProductIndexer } from '../../server/search/index-products.ts';
import type { Availability } from '../../server/search/product-entry.ts';
import {
  searchInputSchema,
  searchOutputSchema,
  suggestOutputSchema,
} from '../../server/search/search.router.ts';
import { noFacets, type SearchQuestion } from '../../server/search/search.rules.ts';
import type { Search } from '../../server/search/search.ts';
import { createIndexWorker } from '../../workers/index-products.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  quietLog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';
import {
  type Asked,
  hasRealProducts,
  question,
  realOnly,
  realProductsFile,
} from '../support/real-products.ts';
import { startEmbeddedTypesense } from '../support/embedded-typesense.ts';

let services: CatalogServices;
let open: OpenCatalog;
let search: Search;
let indexer: ProductIndexer;
const availability = new Map<Sku, Availability>();
let nowMs = 0;

beforeAll(async () => {
  services = await startCatalogServices();
  open = await services.openCatalog();
  ({ search, indexer } = services.openSearch(open.catalog, {
    availabilityOf: async () => availability,
    now: () => nowMs,
  }));
  if (hasRealProducts) {
    await importProducts({
      file: realProductsFile,
      format: 'json',
      currency: 'USD',
      target: {
        batchCount: 500,
        write: async products => (await open.catalog.upsertMany(products)).map(outcomeOf),
        dueCount: async () => null,
        close: async () => undefined,
      },
    });
  }
  await indexer.run();
}, 60_000);
afterAll(() => services.dispose());

/** Answers are remembered for a moment; a test that looks again moves on beyond it. */
function ask(text: string, more?: Asked) {
  nowMs += 10_000;
  return search.products(question(text, more));
}

describe.skipIf(!hasRealProducts)(`search over real products${realOnly}`, () => {
  test('finds Samsung’s for “samsnug”, with brand, category and price facets', async () => {
    const answer = await ask('samsnug');
    expect(answer.degraded).toBeUndefined();
    expect(answer.total).toBeGreaterThan(50);
    expect(answer.hits).toHaveLength(20);
    expect(answer.hits.slice(0, 5).every(hit => /samsung/i.test(`${hit.brand} ${hit.title}`))).toBe(true);
    expect(answer.facets.brand.map(facet => facet.value)).toContain('Samsung');
    expect(answer.facets.category.length).toBeGreaterThan(3);
    expect(answer.facets.price.ranges.length).toBeGreaterThan(2);
    const counted = answer.facets.price.ranges.reduce((sum, range) => sum + range.count, 0);
    expect(counted).toBe(answer.total);
    expect(answer.facets.price.stats).toMatchObject({ currency: 'USD' });
    expect(searchOutputSchema.parse(answer)).toEqual(answer);
  });

  test('marks what matched, in text that is safe to show as HTML', async () => {
    const { hits } = await ask('galaxy');
    expect(hits[0]?.highlights.title).toContain('<mark>Galaxy</mark>');
    const noted = await ask('Beats');
    expect(noted.hits.every(hit => !/<(?!\/?mark>)/.test(JSON.stringify(hit.highlights)))).toBe(true);
  });

  test('keeps to its filters, and counts each facet without its own', async () => {
    const all = await ask('phone');
    const chosen = await ask('phone', { filters: { brands: ['Samsung', 'Apple'], priceMax: 9_999 } });
    expect(chosen.total).toBeGreaterThan(0);
    expect(chosen.hits.every(hit => ['Samsung', 'Apple'].includes(hit.brand ?? ''))).toBe(true);
    expect(chosen.hits.every(hit => hit.price.amount <= 9_999)).toBe(true);
    // Other brands are still offered, and prices above the limit, too.
    expect(chosen.facets.brand.length).toBeGreaterThan(2);
    expect(chosen.facets.price.stats?.max).toBeGreaterThan(9_999);
    expect(chosen.total).toBeLessThan(all.total);
  });

  test('a price range of the facets filters to as many as it counted', async () => {
    const { facets } = await ask('');
    for (const range of facets.price.ranges) {
      const within = await ask('', { filters: { priceMin: range.from, priceMax: range.to } });
      expect(within.total).toBe(range.count);
    }
  });

  test('facet counts are those that MongoDB counts', async () => {
    const { facets, total } = await ask('');
    const products = collectionOf<{ live: boolean }>(open.connection, 'products');
    const countBy = async (pipeline: Record<string, unknown>[], field: string) => {
      const counted = await products
        .aggregate([
          { $match: { live: true } },
          ...pipeline,
          { $group: { _id: `$${field}`, count: { $sum: 1 } } },
        ])
        .toArray();
      return new Map(counted.map(({ _id, count }): [unknown, unknown] => [_id, count]));
    };
    const brands = await countBy([{ $match: { brand: { $ne: '' } } }], 'brand');
    const categories = await countBy([{ $unwind: '$categories' }], 'categories');
    expect(total).toBe(await products.countDocuments({ live: true }));
    expect(facets.brand.length).toBeGreaterThan(20);
    expect(facets.category.length).toBeGreaterThan(20);
    for (const { value, count } of facets.brand) expect([value, count]).toEqual([value, brands.get(value)]);
    for (const { value, count } of facets.category) {
      expect([value, count]).toEqual([value, categories.get(value)]);
    }
    for (const { from, to, count } of facets.price.ranges) {
      const amount = { $gte: from, ...(to === undefined ? {} : { $lte: to }) };
      expect(await products.countDocuments({ live: true, 'variants.0.price.amount': amount })).toBe(count);
    }
    expect(facets.availability).toEqual([{ value: 'out-of-stock', count: total }]);
  });

  test('sorts by price both ways, by popularity, and pages without repeating', async () => {
    const prices = async (sort: SearchQuestion['sort']) =>
      (await ask('charger', { sort, perPage: 50 })).hits.map(hit => hit.price.amount);
    const up = await prices('price-asc');
    expect(up).toEqual(up.toSorted((a, b) => a - b));
    const down = await prices('price-desc');
    expect(down).toEqual(down.toSorted((a, b) => b - a));
    const first = await ask('', { sort: 'popularity', perPage: 30 });
    const second = await ask('', { sort: 'popularity', perPage: 30, page: 2 });
    const popularity = [...first.hits, ...second.hits].map(hit => hit.popularity);
    expect(popularity).toEqual(popularity.toSorted((a, b) => b - a));
    expect(new Set([...first.hits, ...second.hits].map(hit => hit.id)).size).toBe(60);
  });

  test('suggests queries, brands, categories and products for what was begun', async () => {
    const { suggestions } = await search.suggest('sams');
    expect(suggestions).toContainEqual({ kind: 'brand', text: 'Samsung' });
    expect(suggestions.some(each => each.kind === 'product' && /samsung/i.test(each.text))).toBe(true);
    expect(suggestions.length).toBeLessThanOrEqual(8);
    expect((await search.suggest('prepaid ph')).suggestions.some(each => each.kind === 'category')).toBe(
      true,
    );
    const begun = (await search.suggest('usb c')).suggestions;
    expect(begun).toContainEqual({ kind: 'query', text: 'usb cable' });
    // One word of two would not be what was begun.
    expect(begun.some(({ kind }) => kind === 'brand')).toBe(false);
    expect(begun.filter(({ kind }) => kind === 'product').length).toBeGreaterThanOrEqual(2);
    expect(suggestOutputSchema.parse({ suggestions })).toEqual({ suggestions });
    expect(await search.suggest(' ')).toEqual({ suggestions: [] });
  });
});

describe('the index', () => {
  test('follows what is added, changed and removed', async () => {
    const { catalog } = open;
    await catalog.upsert(someProduct('zeppelin', { title: 'Zeppelin model', brand: 'Airworks' }));
    await indexer.run();
    expect((await ask('zeppelin')).hits.map(hit => hit.title)).toEqual(['Zeppelin model']);
    await catalog.upsert(someProduct('zeppelin', { title: 'Zeppelin, large', brand: 'Airworks' }));
    await indexer.run();
    expect((await ask('zeppelin')).hits.map(hit => hit.title)).toEqual(['Zeppelin, large']);
    await catalog.remove(productIdSchema.parse('zeppelin'));
    await indexer.run();
    expect((await ask('zeppelin')).total).toBe(0);
    expect((await catalog.counts()).due).toBe(0);
    expect(await catalog.upsert(someProduct('zeppelin'))).toEqual({ rev: 1 });
  });

  test('finds a product by its SKU, and escapes what its title says', async () => {
    await open.catalog.upsert(
      someProduct('odd', {
        title: '<script>alert("x")</script> & friends',
        variants: [{ sku: 'QX-7741', price: { amount: 1, currency: 'USD' } }],
      }),
    );
    await indexer.run();
    expect((await ask('QX-7741')).hits[0]?.id).toBe('odd');
    const [hit] = (await ask('friends')).hits;
    expect(hit?.highlights.title).toBe(
      '&#60;script&#62;alert(&#34;x&#34;)&#60;/script&#62; &#38; <mark>friends</mark>',
    );
  });

  test('knows what is in stock as soon as it is told that this changed', async () => {
    const { catalog } = open;
    await catalog.upsert(someProduct('stocked', { title: 'Stockade' }));
    await indexer.run();
    expect((await ask('stockade', { filters: { inStock: true } })).total).toBe(0);
    availability.set(skuSchema.parse('stocked-one'), {
      inStock: true,
      drops: [dropIdSchema.parse('drop-a')],
    });
    await catalog.reindexSkus([skuSchema.parse('stocked-one')]);
    await indexer.run();
    expect((await ask('stockade', { filters: { inStock: true } })).hits[0]?.id).toBe('stocked');
    const inDrop = await ask('stockade', { filters: { drops: ['drop-a'] } });
    expect(inDrop.hits[0]?.id).toBe('stocked');
    expect(inDrop.facets.drop).toEqual([{ value: 'drop-a', count: 1 }]);
    expect(inDrop.facets.availability).toEqual([{ value: 'in-stock', count: 1 }]);
    expect((await ask('stockade', { filters: { drops: ['drop-b'] } })).total).toBe(0);
    expect(await catalog.upsert(someProduct('stocked', { title: 'Stockade' }), { expectedRev: 1 })).toEqual({
      rev: 1,
    });
  });

  test('keeps what another indexer has claimed for that one, and takes it over when the claim has run out', async () => {
    const { catalog, store } = open;
    await catalog.upsert(someProduct('claimed'));
    const mine = await store.claimDue({
      by: 'a',
      limit: 10,
      nowMs: Date.now(),
      untilMs: Date.now() + 60_000,
    });
    expect(mine.map(due => due.productId)).toEqual(['claimed']);
    expect(
      await store.claimDue({ by: 'b', limit: 10, nowMs: Date.now(), untilMs: Date.now() + 60_000 }),
    ).toEqual([]);
    const laterMs = Date.now() + 120_000;
    expect(await store.claimDue({ by: 'b', limit: 10, nowMs: laterMs, untilMs: laterMs + 60_000 })).toEqual(
      mine,
    );
    await store.endClaim({ by: 'a', taken: [], refused: [], refusedUntilMs: 0 });
    expect(await store.claimDue({ by: 'c', limit: 10, nowMs: Date.now(), untilMs: laterMs })).toEqual([]);
    await store.endClaim({ by: 'b', taken: [], refused: [], refusedUntilMs: 0 });
    await indexer.run();
  });

  test('does not take a product for indexed that changed while it was', async () => {
    const { catalog, store } = open;
    await catalog.upsert(someProduct('moving'));
    const claim = { by: 'slow', limit: 10, nowMs: Date.now() + 1, untilMs: Date.now() + 60_000 };
    const taken = await store.claimDue(claim);
    await catalog.upsert(someProduct('moving', { title: 'Moved' }));
    await store.endClaim({ by: 'slow', taken, refused: [], refusedUntilMs: 0 });
    expect(await catalog.counts()).toMatchObject({ due: 1 });
    await indexer.run();
    expect((await ask('moved')).hits[0]?.id).toBe('moving');
  });
});

describe('the worker', () => {
  test('makes a change searchable, by the hint that it is sent, and without any when the hint is lost', async () => {
    const connection = connectRedis({ url: services.redis.url, role: 'jobs', log: quietLog });
    const working = connectRedis({ url: services.redis.url, role: 'jobs', log: quietLog });
    const queue = createQueue('search', connection);
    const hint = createIndexHint({ queue, log: quietLog });
    const hinting = await services.openCatalog({ onIndexDue: () => hint.send() });
    const worker = createIndexWorker({ indexer, connection: working, log: quietLog });
    try {
      await hinting.catalog.upsert(someProduct('hinted', { title: 'Hinted wyvern' }));
      await open.catalog.upsert(someProduct('unhinted', { title: 'Unhinted wyvern' }));
      await vi.waitFor(async () => expect((await ask('wyvern')).total).toBe(2), { timeout: 10_000 });
    } finally {
      await worker.close();
      hint.close();
      await queue.close();
      connection.disconnect();
      working.disconnect();
    }
  });
});

describe('when the search service is away', () => {
  test('answers are degraded and plain, and the index catches up with every edit afterwards', async () => {
    const { catalog } = open;
    await catalog.upsert(
      someProduct('xylophone', { title: 'Xylophone lamp', brand: 'Riverside', popularity: 3 }),
    );
    await indexer.run();
    const { port, dataDir, apiKey } = services.typesense;
    await services.typesense.kill();

    await catalog.upsert(
      someProduct('xylophone-2', { title: 'Xylophone vase', brand: 'Riverside', popularity: 9 }),
    );
    await catalog.remove(productIdSchema.parse('xylophone'));
    await expect(indexer.run()).rejects.toThrow(/ECONNREFUSED|closed|hang up/i);
    const plain = await ask('xylophone');
    expect(plain).toMatchObject({
      degraded: true,
      total: 1,
      hits: [{ id: 'xylophone-2', brand: 'Riverside' }],
    });
    expect(plain.facets).toEqual(noFacets);
    expect(searchOutputSchema.parse(plain)).toEqual(plain);
    nowMs += 10_000;
    expect(await search.suggest('xylophone')).toEqual({ suggestions: [], degraded: true });
    expect(await search.isHealthy()).toBe(false);
    expect((await catalog.counts()).due).toBe(2);

    const back = await startEmbeddedTypesense({ port, dataDir, apiKey });
    try {
      await indexer.run();
      expect((await catalog.counts()).due).toBe(0);
      const answer = await ask('xylophone');
      expect(answer.degraded).toBeUndefined();
      expect(answer.hits.map(hit => hit.id)).toEqual(['xylophone-2']);
    } finally {
      await back.stop();
    }
  });

  test('an index that comes back empty is filled again from the catalog', async () => {
    const { port, apiKey } = services.typesense;
    const empty = await startEmbeddedTypesense({ port, apiKey });
    try {
      const { products } = await open.catalog.counts();
      // The indexer finds out when it next has something to do; a worker that starts finds out at once.
      await services.openSearch(open.catalog).indexer.run();
      expect((await ask('')).total).toBe(products);
    } finally {
      await empty.stop();
    }
  }, 30_000);
});

describe('the input of a search', () => {
  test('takes one brand or several, and fills in what is left out', () => {
    expect(searchInputSchema.parse({ q: 'a', filters: { brand: 'Sony' } })).toMatchObject({
      filters: { brand: ['Sony'] },
      sort: 'relevance',
      page: 1,
      perPage: 20,
    });
    expect(
      searchInputSchema.parse({ q: '', filters: { brand: ['Sony', 'Sony', 'LG'] } }).filters?.brand,
    ).toEqual(['Sony', 'LG']);
  });

  test.each([
    [{ q: 'a', filters: { brand: 'x` || price:>0 || brand:=`y' } }],
    [{ q: 'a', filters: { brand: { $ne: 1 } } }],
    [{ q: 'a', filters: { brand: '!!!' } }],
    [{ q: 'a', filters: { category: [] } }],
    [{ q: 'a', filters: { priceMin: '0 || price:>0' } }],
    [{ q: 'a', filters: { priceMin: 1.5 } }],
    [{ q: 'a', filters: { filter_by: 'price:>0' } }],
    [{ q: 'a', filter_by: 'price:>0' }],
    [{ q: 'a', sort: 'popularity:desc' }],
    [{ q: 'a', page: 0 }],
    [{ q: 'a', perPage: 101 }],
    [{ q: 'a', page: 1000, perPage: 100 }],
    [{ q: { $gt: '' } }],
    [{ q: 'a'.repeat(201) }],
    [{}],
  ])('is refused: %j', input => {
    expect(searchInputSchema.safeParse(input).success).toBe(false);
  });
});
