// What MongoDB keeps of a product: its slug, its status, and that each query reads no more than it answers with. With
// MONGODB_CONTRACT_URI, of a real MongoDB.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type CatalogStore, createCatalogStore } from '../../server/catalog/catalog.store.ts';
import { type ProductInput, productStatusSchema } from '../../server/catalog/product.ts';
import { productIdSchema, skuSchema } from '../../server/ids.ts';
import { collectionOf, connectMongo, type MongoConnection } from '../../server/platform/mongo.ts';
import { quietLog, someProduct } from '../support/catalog-services.ts';
import { type MongoTarget, openMongo } from '../support/mongo-target.ts';

let target: MongoTarget;
let connection: MongoConnection;
let store: CatalogStore;
beforeAll(async () => {
  target = await openMongo();
  const address = new URL(target.uri);
  address.pathname = `/${target.db.databaseName}`;
  connection = await connectMongo({ uri: address.href, log: quietLog });
  store = createCatalogStore(connection);
  await store.ensureIndexes();
});
afterAll(async () => {
  await connection.close();
  await target.close();
});

const id = (text: string) => productIdSchema.parse(text);
const sku = (text: string) => skuSchema.parse(text);
const nowMs = 1;
const by = 'an indexer';
const claim = { by, nowMs, untilMs: nowMs + 1_000 };

const write = async (...inputs: ProductInput[]) => store.write(inputs, { nowMs });
const slugOfId = async (text: string) => (await store.readAny(id(text)))?.product.slug;

describe('a slug', () => {
  test('is made from the title, is one product’s alone, and stays when the title changes', async () => {
    expect(
      await write(
        someProduct('slug-a', { title: 'Café “Größe”, 2nd edition' }),
        someProduct('slug-b', { title: 'Cafe Grosse 2nd Edition!' }),
        someProduct('slug-c', { title: '茶' }),
      ),
    ).toEqual([
      { kind: 'created', rev: 1 },
      { kind: 'created', rev: 1 },
      { kind: 'created', rev: 1 },
    ]);
    expect(await slugOfId('slug-a')).toBe('cafe-grosse-2nd-edition');
    expect(await slugOfId('slug-b')).toMatch(/^cafe-grosse-2nd-edition-[0-9a-f]{10}$/);
    expect(await slugOfId('slug-c')).toBe('slug-c');
    await write(someProduct('slug-a', { title: 'Something else' }));
    expect(await slugOfId('slug-a')).toBe('cafe-grosse-2nd-edition');
    expect(await store.idOfSlug('cafe-grosse-2nd-edition')).toBe('slug-a');
  });

  test('that is asked for is had, changed, or refused where it is another’s', async () => {
    await write(someProduct('asked', { slug: 'by-name' }));
    expect(await slugOfId('asked')).toBe('by-name');
    expect(await write(someProduct('asked', { slug: 'by-name' }))).toEqual([{ kind: 'unchanged', rev: 1 }]);
    expect(await write(someProduct('asked'))).toEqual([{ kind: 'unchanged', rev: 1 }]);
    const refused = { kind: 'slug-taken', slug: 'by-name', by: 'asked' };
    expect(await write(someProduct('asks-too', { slug: 'by-name' }))).toEqual([refused]);
    await write(someProduct('asks-too'));
    expect(await write(someProduct('asks-too', { slug: 'by-name' }))).toEqual([refused]);
    expect(await write(someProduct('asked', { slug: 'another-name' }))).toEqual([
      { kind: 'updated', rev: 2 },
    ]);
    expect(await write(someProduct('asks-too', { slug: 'by-name' }))).toEqual([{ kind: 'updated', rev: 2 }]);
  });

  test('of a removed product is free, and it has another when it comes back', async () => {
    await write(someProduct('gone', { title: 'Here and gone' }));
    await store.remove(id('gone'), nowMs);
    expect(await store.idOfSlug('here-and-gone')).toBeNull();
    await write(someProduct('next', { title: 'Here and gone' }));
    expect(await slugOfId('next')).toBe('here-and-gone');
    expect(await write(someProduct('gone', { title: 'Here and gone' }))).toMatchObject([{ kind: 'created' }]);
    expect(await slugOfId('gone')).toMatch(/^here-and-gone-/);
  });

  test('is made for each of a crowd with one title that comes at once', async () => {
    const crowd = Array.from({ length: 20 }, (_, index) => someProduct(`same-${index}`, { title: 'Same' }));
    const outcomes = await Promise.all(crowd.map(input => write(input)));
    expect(outcomes.flat().every(({ kind }) => kind === 'created')).toBe(true);
    const slugs = await Promise.all(crowd.map(({ productId }) => slugOfId(productId)));
    expect(new Set(slugs).size).toBe(20);
    expect(slugs.filter(slug => slug === 'same')).toHaveLength(1);
  });
});

test('only an active product is shown, found and listed; a draft may be planned with, an archived one not', async () => {
  for (const status of productStatusSchema.options)
    await write(someProduct(`is-${status}`, { title: `Statusword ${status}`, status, taxClass: 'reduced' }));
  const of = async (look: (productId: ReturnType<typeof id>) => Promise<unknown>) =>
    Promise.all(productStatusSchema.options.map(status => look(id(`is-${status}`))));
  expect((await of(each => store.read(each))).map(found => found !== null)).toEqual([false, true, false]);
  expect((await of(each => store.readAny(each))).map(found => found !== null)).toEqual([true, true, true]);
  const browsed = await store.browse({
    words: ['statusword'],
    brands: [],
    categories: [],
    priceMin: undefined,
    priceMax: undefined,
    sort: 'newest',
    skip: 0,
    limit: 9,
  });
  expect(browsed).toMatchObject({ total: 1, products: [{ productId: 'is-active', taxClass: 'reduced' }] });
  const sold = await store.withSkus(productStatusSchema.options.map(status => sku(`is-${status}-one`)));
  expect(sold.map(({ productId }) => productId).toSorted()).toEqual(['is-active', 'is-draft']);
  const ids = productStatusSchema.options.map(status => id(`is-${status}`));
  const { claimed } = await store.claimIds({ ...claim, ids });
  expect(claimed).toHaveLength(3);
  expect(claimed.flatMap(({ product }) => product?.productId ?? [])).toEqual(['is-active']);
  await store.endClaim({ by, taken: claimed, refused: [], refusedUntilMs: 0 });
  expect((await store.indexStates(ids)).map(({ indexed }) => indexed)).toEqual([true, true, true]);
  expect((await of(each => store.readAny(each))).every(found => found !== null)).toBe(true);
});

test('what a variant has is read as it was written', async () => {
  const variants = ['S', 'M'].map((size, index) => ({
    sku: `tee-${size}`,
    barcode: ['4006381333931', '96385074'][index],
    options: { Size: size, 'Main colour': 'Teal' },
    price: { amount: 2_000 + index, currency: 'EUR' },
    prices: [
      { amount: 2_400, currency: 'USD' },
      { amount: 3_000, currency: 'JPY' },
    ],
    attributes: { organic: true },
  }));
  const input = someProduct('tee', { title: 'Tee', variants });
  await write(input);
  expect(await store.read(id('tee'))).toMatchObject({
    status: 'active',
    taxClass: 'standard',
    variants: variants.map(variant => ({ ...variant, prices: variant.prices.toReversed() })),
  });
  expect(await write(input)).toEqual([{ kind: 'unchanged', rev: 1 }]);
});

test('a product of an older version is brought forward', async () => {
  const old = (productId: string) => ({
    _id: productId,
    live: true,
    title: 'Of old',
    description: '',
    brand: '',
    categories: [],
    images: [],
    popularity: 0,
    variants: [{ sku: `${productId}-one`, price: { amount: 5, currency: 'USD' } }],
    words: ['of', 'old'],
    contentHash: 'x',
    rev: 3,
    indexRev: 3,
    indexedRev: 3,
    indexDue: false,
    dueAtMs: 1,
    claimedBy: '',
    claimedUntilMs: 0,
    createdAtMs: 1,
    updatedAtMs: 1,
  });
  const collection = collectionOf<{ _id: string }>(connection, 'products');
  await collection.insertMany([old('old-a'), old('old-b')]);
  await collection.createIndex({ words: 1 }, { name: 'words' });
  await store.ensureIndexes();
  expect(await store.read(id('old-a'))).toMatchObject({ slug: 'of-old', status: 'active', rev: 3 });
  expect(await store.read(id('old-b'))).toMatchObject({ slug: expect.stringMatching(/^of-old-/) });
  expect((await collection.indexes()).map(({ name }) => name)).not.toContain('words');
});

describe('of six hundred products', () => {
  const brands = ['Acme', 'Lumen', 'Verdant'];
  beforeAll(async () => {
    const many = Array.from({ length: 600 }, (_, index) =>
      someProduct(`many-${String(index).padStart(3, '0')}`, {
        title: `Many ${index}`,
        brand: index < 12 ? 'Rare' : brands[index % brands.length],
        categories: index < 12 ? ['Few'] : ['Plenty'],
        popularity: index,
        status: index % 50 === 0 ? 'draft' : 'active',
      }),
    );
    await write(...many);
    // Nothing is due but what a test makes so.
    for (;;) {
      const due = await store.claimDue({ ...claim, limit: 500 });
      if (due.length === 0) break;
      await store.endClaim({ by, taken: due, refused: [], refusedUntilMs: 0 });
    }
  });

  const browse = {
    words: [],
    brands: [],
    categories: [],
    priceMin: undefined,
    priceMax: undefined,
    sort: 'popularity' as const,
    skip: 0,
    limit: 10,
  };
  const after = id('many-300');
  // Counting a whole list reads each of its products; so what is browsed here is rare.
  const queries: Record<string, [mostDocuments: number, run: () => Promise<unknown>]> = {
    'a page of the public list': [11, () => store.page({ after, limit: 11, statuses: ['active'] })],
    'a page of the shop’s list': [11, () => store.page({ after, limit: 11 })],
    'the drafts, from the beginning': [11, () => store.page({ after: null, limit: 11, statuses: ['draft'] })],
    'a product': [1, () => store.read(id('many-301'))],
    'a product by its slug': [1, () => store.idOfSlug('many-301')],
    'products by their SKUs': [2, () => store.withSkus([sku('many-301-one'), sku('many-302-one')])],
    'a word': [3, () => store.browse({ ...browse, words: ['301'] })],
    // Sorted by the server: each is read for its key, for the answer and for the count.
    'a brand': [36, () => store.browse({ ...browse, brands: ['Rare'] })],
    'a category, the newest first': [
      36,
      () => store.browse({ ...browse, categories: ['Few'], sort: 'newest' }),
    ],
    'what is due, where nothing is': [0, () => store.claimDue({ ...claim, limit: 200 })],
    'how much is due': [0, () => store.dueCount()],
    'ids for a reindex': [50, () => store.pageIds({ after, limit: 50 })],
  };

  test.each(Object.entries(queries))('%s reads no more than it needs', async (_what, [most, run]) => {
    const before = await target.docsExamined();
    await run();
    expect((await target.docsExamined()) - before).toBeLessThanOrEqual(most);
  });

  test('a query that no index serves is seen to read them all', async () => {
    const before = await target.docsExamined();
    await collectionOf(connection, 'products').find({ popularity: 301 }).toArray();
    expect((await target.docsExamined()) - before).toBeGreaterThanOrEqual(600);
  });
});
