import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { ProductInput } from '../../server/catalog/product.ts';
import { productIdSchema } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import { compareIndex } from '../../server/search/compare-index.ts';
import { entryOf } from '../../server/search/product-entry.ts';
import { createReindex } from '../../server/search/reindex.ts';
import { createReindexStore } from '../../server/search/reindex.store.ts';
import { createSearchIndex, productsAlias, type SearchIndex } from '../../server/search/search-index.ts';
import { createTypesenseClient } from '../../server/search/typesense-client.ts';
import {
  type CatalogServices,
  type OpenCatalog,
  quietLog,
  someProduct,
  startCatalogServices,
} from '../support/catalog-services.ts';
import { reindexUnderWrites } from '../support/reindex-under-writes.ts';

let services: CatalogServices;
let open: OpenCatalog;
const availabilityOf = async () => new Map();
/** More than two pages of a reindex. */
const productsCount = 2 * limits.reindexBatchCount + 100;

function stands(number: number, more: Record<string, unknown> = {}): ProductInput {
  return someProduct(`p-${String(number).padStart(5, '0')}`, { title: `Standing lamp ${number}`, ...more });
}

beforeAll(async () => {
  services = await startCatalogServices();
  open = await services.openCatalog();
  await open.catalog.upsertMany(Array.from({ length: productsCount }, (_, number) => stands(number)));
  await services.openSearch(open.catalog).indexer.run();
}, 60_000);
afterAll(() => services.dispose());

const client = () => createTypesenseClient({ ...services.typesense, timeoutMs: 5_000, retriesCount: 0 });
const collections = async () => (await client().collections().retrieve()).map(({ name }) => name);
const searched = async () => (await client().aliases(productsAlias).retrieve()).collection_name;
const compared = (index: SearchIndex = createSearchIndex(services.typesense)) =>
  compareIndex({ catalog: open.catalog, index, availabilityOf });

describe('a reindex', () => {
  test('while products are written: no search fails, nothing is searched half-built, no write is lost', async () => {
    const before = await searched();
    const result = await reindexUnderWrites({
      services,
      open,
      standingCount: productsCount,
      standingText: 'standing',
      writesPerSec: 100,
      // Writes go on for longer than the copying, so that some come before, some during and some after the swap.
      untilWritesCount: 60,
    });
    expect(result.outcome).toMatchObject({ kind: 'done', resumed: false });
    expect(result.wrongAnswers).toEqual([]);
    expect(result.searchesCount).toBeGreaterThan(10);
    expect(result.writesCount).toBeGreaterThanOrEqual(60);
    expect(result.differences).toEqual([]);
    expect(await searched()).not.toBe(before);
    expect(await collections()).toEqual([await searched()]);
  }, 120_000);

  test('is not put in place where an indexer does not write to it: the comparison bites', async () => {
    const { catalog } = open;
    const index = createSearchIndex(services.typesense);
    let pagesCount = 0;
    // A product of the first page changes while the second is copied, and only the searched collection learns of it.
    const behindItsBack = async () => {
      await catalog.upsert(stands(1, { description: 'changed behind its back' }));
      const due = await catalog.claimDue({ by: 'naive', limit: 10 });
      const entries = due.flatMap(({ product }) => (product ? [entryOf(product, new Map())] : []));
      expect(entries).toHaveLength(1);
      await client().collections(productsAlias).documents().import(entries, { action: 'upsert' });
      await catalog.endClaim({ by: 'naive', taken: due });
    };
    const before = await searched();
    const reindex = services.openReindex(open, {
      index: {
        ...index,
        async fillNext(collection, entries) {
          pagesCount += 1;
          if (pagesCount === 2) await behindItsBack();
          return index.fillNext(collection, entries);
        },
      },
    });
    expect(await reindex.run()).toEqual({
      kind: 'differs',
      differences: [{ productId: 'p-00001', kind: 'differs' }],
    });
    expect(await searched()).toBe(before);
    // What was half-built is gone.
    expect(await collections()).toEqual([before]);
    expect((await compared()).differences).toEqual([]);
  }, 60_000);

  test('does not bring back a product that was removed while its page was copied', async () => {
    const { catalog } = open;
    const index = createSearchIndex(services.typesense);
    const { indexer } = services.openSearch(catalog);
    let isRemoved = false;
    const reindex = services.openReindex(open, {
      index: {
        ...index,
        async fillNext(collection, entries) {
          if (!isRemoved) {
            isRemoved = true;
            await catalog.remove(productIdSchema.parse('p-00002'));
            // It is claimed by the reindex, which has read it as it was; so the indexer leaves it alone.
            await indexer.run();
          }
          const refused = await index.fillNext(collection, entries);
          return refused;
        },
      },
    });
    const running = reindex.run();
    await vi.waitFor(() => expect(isRemoved).toBe(true), { timeout: 20_000 });
    const drained = vi.waitFor(
      async () => {
        await indexer.run();
        expect((await catalog.counts()).due).toBe(0);
      },
      { timeout: 20_000 },
    );
    expect(await running).toMatchObject({ kind: 'done' });
    await drained;
    expect((await compared()).differences).toEqual([]);
    expect(await catalog.upsert(stands(2))).toEqual({ rev: 1 });
    await indexer.run();
  }, 60_000);

  test('that stopped in the middle is taken up there, one at a time, and leaves nothing behind', async () => {
    const { catalog, connection } = open;
    const index = createSearchIndex(services.typesense);
    const stuck = Promise.withResolvers<never>();
    let pagesCount = 0;
    const killed = services
      .openReindex(open, {
        index: {
          ...index,
          fillNext: (collection, entries) => {
            pagesCount += 1;
            return pagesCount === 2 ? stuck.promise : index.fillNext(collection, entries);
          },
        },
      })
      .run();
    const ended = killed.catch((error: unknown) => error);
    await vi.waitFor(() => expect(pagesCount).toBe(2), { timeout: 20_000 });
    expect(await services.openReindex(open).run()).toMatchObject({ kind: 'taken' });

    // Changed in what is copied already, and in what the stuck one has claimed.
    await catalog.upsertMany([stands(3, { description: 'before' }), stands(300, { description: 'after' })]);
    await services.openSearch(catalog).indexer.run();
    const later = createReindex({
      catalog,
      index,
      store: createReindexStore(connection),
      availabilityOf,
      clock: { now: () => Date.now() + 2 * limits.reindexLeaseMs },
      log: quietLog,
    });
    expect(await later.run()).toMatchObject({
      kind: 'done',
      resumed: true,
      copiedCount: (await catalog.counts()).products,
    });
    stuck.reject(new Error('killed'));
    expect(await ended).toBeInstanceOf(Error);
    await services.openSearch(catalog).indexer.run();
    expect((await compared()).differences).toEqual([]);
    expect(await collections()).toEqual([await searched()]);
  }, 60_000);

  test('the comparison names what is missing, what is left over, and what differs', async () => {
    const documents = client().collections<{ id: string; title: string }>(productsAlias).documents();
    const one = await client()
      .collections<Record<string, unknown>>(productsAlias)
      .documents('p-00010')
      .retrieve();
    await client().collections(productsAlias).documents('p-00011').delete();
    await documents.import([{ ...one, id: 'ghost', title: 'Ghost' }], { action: 'create' });
    await documents.import([{ id: 'p-00012', title: 'Another title' }], { action: 'update' });
    const { differences } = await compared();
    expect(differences.toSorted((a, b) => (a.productId < b.productId ? -1 : 1))).toEqual([
      { productId: 'ghost', kind: 'left-over' },
      { productId: 'p-00011', kind: 'missing' },
      { productId: 'p-00012', kind: 'differs' },
    ]);
    expect(await services.openReindex(open).run()).toMatchObject({ kind: 'done' });
    expect((await compared()).differences).toEqual([]);
  }, 60_000);
});
