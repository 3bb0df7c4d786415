// What the shop says of search: which words mean the same, and what comes first.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alsoFoundBy } from '../../server/catalog/synonyms.rules.ts';
import { productIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { type ChosenResults, createChosenResults } from '../../server/search/chosen-results.ts';
import { compareIndex } from '../../server/search/compare-index.ts';
import type { ProductIndexer } from '../../server/search/index-products.ts';
import type { Search } from '../../server/search/search.ts';
import type { SearchIndex } from '../../server/search/search-index.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  quietLog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';
import { type Asked, productFrom, question } from '../support/real-products.ts';

let services: CatalogServices;
let open: OpenCatalog;
let search: Search;
let indexer: ProductIndexer;
let index: SearchIndex;
let chosen: ChosenResults;
let nowMs = 0;

beforeAll(async () => {
  services = await startCatalogServices();
  open = await services.openCatalog();
  const now = () => nowMs;
  chosen = createChosenResults({ connection: open.connection, log: quietLog, now });
  ({ search, indexer, index } = services.openSearch(open.catalog, { now, pins: chosen }));
  await open.catalog.upsertMany([
    someProduct('tv-a', { title: 'Television 55 inch', brand: 'Acme', popularity: 9 }),
    someProduct('tv-b', { title: 'TV, curved', brand: 'Lumen', popularity: 8 }),
    someProduct('sofa', { title: 'Couch of linen', popularity: 7 }),
    someProduct('phone', { title: 'Mobile phone', brand: 'Acme', popularity: 6 }),
    someProduct('lamp', { title: 'Lamp', brand: 'Lumen', popularity: 5 }),
    someProduct('lamp-b', { title: 'Lamp too', brand: 'Acme', popularity: 4 }),
    someProduct('lamp-c', { title: 'Lamp three', brand: 'Acme', popularity: 3 }),
  ]);
  await indexer.run();
}, 60_000);
afterAll(() => services.dispose());

const id = (text: string) => productIdSchema.parse(text);

async function idsFor(text: string, more?: Asked): Promise<string[]> {
  nowMs += 10_000;
  const { hits, degraded } = await search.products(question(text, more));
  expect(degraded).toBeUndefined();
  return hits.map(hit => hit.id);
}

const differences = async () =>
  (await compareIndex({ catalog: open.catalog, index, availabilityOf: async () => new Map() })).differences;

describe('synonyms', () => {
  test('find each other’s products, once what they concern has been indexed again, and no more when they are gone', async () => {
    const { catalog } = open;
    expect(await idsFor('television')).toEqual(['tv-a']);
    expect(await catalog.putSynonyms({ id: 'tv', terms: ['TV', 'television', 'Téléviseur'] })).toBe('put');
    // Only what the rule concerns is due.
    expect((await catalog.counts()).due).toBe(2);
    await indexer.run();
    expect((await idsFor('television')).toSorted()).toEqual(['tv-a', 'tv-b']);
    expect((await idsFor('tv')).toSorted()).toEqual(['tv-a', 'tv-b']);
    expect((await idsFor('televiseur')).toSorted()).toEqual(['tv-a', 'tv-b']);
    expect(await differences()).toEqual([]);
    expect(await catalog.removeSynonyms('tv')).toBe(true);
    expect(await catalog.removeSynonyms('tv')).toBe(false);
    await indexer.run();
    expect(await idsFor('television')).toEqual(['tv-a']);
    expect(await differences()).toEqual([]);
  });

  test('of several words, and one-way ones, hold as they are said', async () => {
    const { catalog } = open;
    await catalog.putSynonyms({ id: 'seat', terms: ['couch'], root: 'seating furniture' });
    await catalog.putSynonyms({ id: 'cell', terms: ['cell phone', 'mobile phone'] });
    await indexer.run();
    expect(await idsFor('seating furniture')).toEqual(['sofa']);
    expect(await idsFor('cell phone')).toEqual(['phone']);
    expect(await catalog.synonyms()).toEqual([
      { id: 'cell', terms: ['cell phone', 'mobile phone'] },
      { id: 'seat', terms: ['couch'], root: 'seating furniture' },
    ]);
  });

  test('hold for an index that is built anew', async () => {
    expect(await services.openReindex(open).run()).toMatchObject({ kind: 'done' });
    expect(await idsFor('cell phone')).toEqual(['phone']);
    expect(await differences()).toEqual([]);
  });

  test('that have not reached the index are seen by the comparison', async () => {
    await open.store.putSynonyms({ id: 'unsaid', terms: ['lamp', 'luminaire'] });
    expect((await differences()).map(({ productId }) => productId).toSorted()).toEqual([
      'lamp',
      'lamp-b',
      'lamp-c',
    ]);
    // The same call again reaches them, although it changes nothing.
    await open.catalog.putSynonyms({ id: 'unsaid', terms: ['lamp', 'luminaire'] });
    await indexer.run();
    expect(await differences()).toEqual([]);
    expect(await idsFor('luminaire')).toHaveLength(3);
  });

  test('are whole words in their order', () => {
    const found = (title: string) =>
      alsoFoundBy(productFrom(someProduct('x', { title })), [{ id: 'a', terms: ['cell phone', 'mobile'] }]);
    expect(found('Cell phones')).toEqual([]);
    expect(found('Phone cell')).toEqual([]);
    expect(found('A CELL-PHONE case')).toEqual(['mobile']);
    expect(found('Mobile')).toEqual(['cell phone']);
    expect(found('Mobile cell phone')).toEqual([]);
  });
});

describe('chosen results', () => {
  test('come first in their order, hidden ones not at all, however the search is written', async () => {
    expect(await idsFor('lamp')).toEqual(['lamp', 'lamp-b', 'lamp-c']);
    await chosen.put({ text: 'Lamp!', pinned: [id('lamp-c'), id('sofa')], hidden: [id('lamp-b')] });
    expect(await idsFor('lámp')).toEqual(['lamp-c', 'sofa', 'lamp']);
    expect(await idsFor('lamp', { perPage: 2, page: 2 })).toEqual(['lamp']);
    expect(await idsFor('lamp too')).toContain('lamp-b');
    expect(await chosen.list()).toEqual([{ text: 'lamp', pinned: ['lamp-c', 'sofa'], hidden: ['lamp-b'] }]);
  });

  test('are held to the filters, and stay out of other orders', async () => {
    expect(await idsFor('lamp', { filters: { brands: ['Lumen'] } })).toEqual(['lamp']);
    expect(await idsFor('lamp', { sort: 'popularity' })).toEqual(['lamp', 'lamp-b', 'lamp-c']);
  });

  test('are seen by another process within a second, and a removed product is no longer there', async () => {
    const elsewhere = createChosenResults({ connection: open.connection, log: quietLog, now: () => nowMs });
    expect(await elsewhere.of('sofa')).toBeNull();
    await chosen.put({ text: 'sofa', pinned: [id('tv-a'), id('lamp-c')], hidden: [] });
    expect(await elsewhere.of('sofa')).toBeNull();
    nowMs += limits.pinsTtlMs;
    expect(await elsewhere.of('SOFA')).toEqual({ pinned: ['tv-a', 'lamp-c'], hidden: [] });
    await open.catalog.remove(id('tv-a'));
    await indexer.run();
    // Places are counted from the top: the one of the removed product is left to what was found.
    expect(await idsFor('sofa')).toEqual(['sofa', 'lamp-c']);
    expect(await chosen.remove('Sofa')).toBe(true);
    expect(await chosen.remove('sofa')).toBe(false);
    expect(await idsFor('sofa')).not.toContain('lamp-c');
  });

  test('that were known go on while MongoDB does not answer', async () => {
    const other = await services.openCatalog();
    const lost = createChosenResults({ connection: other.connection, log: quietLog, now: () => nowMs });
    expect(await lost.of('lamp')).not.toBeNull();
    await other.connection.close();
    nowMs += limits.pinsTtlMs;
    expect(await lost.of('lamp')).not.toBeNull();
  });
});
