/**
 * What a shop's visitor finds among 1,974 real products: spelling mistakes, half-typed words, plurals, a brand with a
 * kind of thing, and nothing at all. Says what must be on the page, not which score put it there, so that it holds for
 * a real server as well.
 */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { productCollection, type ProductEntry } from '../../server/search/product-entry.ts';
import { searchesOf } from '../../server/search/search.rules.ts';
import { hasRealProducts, question, realEntries, realProductsFile } from '../support/real-products.ts';
import { relevanceQueries, vainQueries } from '../support/relevance-queries.ts';
import { openTypesense, type TypesenseTarget } from '../support/typesense-target.ts';

const products = z.array(
  z.object({
    name: z.string(),
    description: z.string(),
    brand: z.string(),
    categories: z.array(z.string()),
    price: z.number(),
    popularity: z.int(),
  }),
);
const answers = z.object({
  results: z.array(
    z.object({
      found: z.int(),
      hits: z.array(z.object({ document: z.object({ title: z.string(), brand: z.string().optional() }) })),
    }),
  ),
});
type Product = z.infer<typeof products>[number] & { id: string };

describe.skipIf(!hasRealProducts)(
  'among the products of ../shared/data (skipped without that folder)',
  () => {
    let target: TypesenseTarget;
    let name: string;
    beforeAll(async () => {
      target = await openTypesense();
      name = target.name('products');
      await target.client.collections().create({
        name,
        fields: [
          { name: 'name', type: 'string' },
          { name: 'description', type: 'string' },
          { name: 'brand', type: 'string', facet: true },
          { name: 'categories', type: 'string[]', facet: true },
          { name: 'price', type: 'float', facet: true },
          { name: 'popularity', type: 'int32' },
        ],
        default_sorting_field: 'popularity',
      });
      const items = products.parse(JSON.parse(readFileSync(realProductsFile, 'utf8')));
      await documents().import(items.map((item, place) => ({ ...item, id: `${place}` })));
    });
    afterAll(() => target.close());

    const documents = () => target.client.collections<Product>(name).documents();
    const search = async (q: string, more: Record<string, unknown> = {}) => {
      const answer = await documents().search({
        q,
        query_by: 'name,brand,categories,description',
        query_by_weights: '4,3,2,1',
        facet_by: 'brand,categories,price',
        per_page: 20,
        typo_tokens_threshold: 100,
        drop_tokens_threshold: 10,
        ...more,
      });
      return { ...answer, products: (answer.hits ?? []).map(hit => hit.document) };
    };
    const share = (found: Product[], isRight: (product: Product) => boolean): number =>
      found.length === 0 ? 0 : found.filter(isRight).length / found.length;
    const isPhone = (product: Product): boolean => product.categories.includes('Cell Phones');
    const says = (text: string) => (product: Product) =>
      `${product.name} ${product.brand}`.toLowerCase().includes(text);

    it('takes in every product', async () => {
      expect((await search('*')).found).toBe(1_974);
    });

    it('finds Samsung products for "samsnug", with facets', async () => {
      const { products: found, facet_counts } = await search('samsnug');
      expect(share(found, says('samsung'))).toBe(1);
      const [brands, categories, prices] = facet_counts ?? [];
      expect(brands?.counts[0]?.value).toBe('Samsung');
      expect(categories?.counts.length).toBe(10);
      expect(prices?.stats?.min).toBeGreaterThan(0);
    });

    it('finds Galaxy phones first for "samsnug galxy"', async () => {
      const { products: found } = await search('samsnug galxy', { per_page: 5 });
      expect(share(found, product => says('galaxy')(product) && isPhone(product))).toBe(1);
    });

    it('finds Galaxy phones first for "galaxy s7", not their cases', async () => {
      const { products: found } = await search('galaxy s7', { per_page: 5 });
      expect(share(found, product => says('galaxy s7')(product) && product.brand === 'Samsung')).toBe(1);
    });

    it.each([
      ['galxy', 'galaxy'],
      ['iphnoe', 'iphone'],
      ['motorla', 'motorola'],
      ['otterbx', 'otterbox'],
      ['blutooth', 'bluetooth'],
    ])('reads "%s" as %s', async (typed, meant) => {
      const { hits } = await search(typed);
      expect(hits?.length).toBeGreaterThan(0);
      for (const hit of hits ?? []) expect(JSON.stringify(hit.highlight).toLowerCase()).toContain(meant);
    });

    it('finds Apple products for "aple iphone"', async () => {
      const { products: found } = await search('aple iphone');
      expect(share(found, says('iphone'))).toBe(1);
      expect(share(found, says('apple'))).toBe(1);
    });

    it('finds something for every beginning of a word that finds something', async () => {
      let last = 0;
      for (const begun of ['motorola', 'motorol', 'motoro', 'motor', 'moto', 'mot', 'mo', 'm']) {
        const { found } = await search(begun, { num_typos: 0 });
        expect(found).toBeGreaterThanOrEqual(last);
        last = found;
      }
    });

    it('finds the one for the many, and the many for the one', async () => {
      for (const [typed, meant] of [
        ['chargers', 'charger'],
        ['headset', 'headsets'],
      ] as const) {
        const { hits, found } = await search(typed);
        expect(found).toBeGreaterThan(10);
        expect(JSON.stringify(hits?.map(hit => hit.highlight)).toLowerCase()).toContain(meant.slice(0, 7));
      }
    });

    it('finds a brand with a kind of thing, in either order', async () => {
      const one = await search('samsung charger', { drop_tokens_threshold: 0 });
      const other = await search('charger samsung', { drop_tokens_threshold: 0, prefix: false });
      expect(share(one.products.slice(0, 5), says('samsung'))).toBe(1);
      expect(other.found).toBeGreaterThan(0);
      expect(one.products.map(product => product.id)).toContain(other.products[0]?.id);
    });

    it('narrows by filter, and the facets with it', async () => {
      const filter_by = 'brand:=Apple && price:[100..500]';
      const { products: found, facet_counts } = await search('iphone', { filter_by });
      expect(
        share(found, product => product.brand === 'Apple' && product.price >= 100 && product.price <= 500),
      ).toBe(1);
      expect(facet_counts?.[0]?.counts.map(({ value }) => value)).toEqual(['Apple']);
      expect(facet_counts?.[2]?.stats?.max).toBeLessThanOrEqual(500);
    });

    describe('asked as the engine asks, of what the engine indexes', () => {
      let engineName: string;
      beforeAll(async () => {
        engineName = target.name('engine');
        await target.client.collections().create({ ...productCollection, name: engineName });
        await target.client.collections<ProductEntry>(engineName).documents().import(realEntries());
      });

      const ask = async (typed: string, count: number) => {
        const [parameters] = searchesOf(question(typed, { perPage: count }));
        const { results } = answers.parse(
          await target.client.multiSearch.perform(
            { searches: [{ ...parameters, collection: engineName }] },
            {},
          ),
        );
        return results[0];
      };

      for (const [what, queries] of Object.entries(relevanceQueries)) {
        it.each([...queries])(`${what}: "$typed"`, async ({ typed, firstCount, each, first }) => {
          const titles = (await ask(typed, firstCount))?.hits.map(({ document }) => document.title) ?? [];
          expect(titles).toHaveLength(firstCount);
          for (const title of titles) expect(title).toMatch(each);
          expect(titles[0]).toMatch(first ?? each);
        });
      }

      it.each(vainQueries)('nothing for "%s"', async typed => {
        expect((await ask(typed, 1))?.found).toBe(0);
      });

      it('is asked more than forty of these', () => {
        const asked = Object.values(relevanceQueries)
          .flat()
          .map(({ typed }) => typed);
        expect(new Set([...asked, ...vainQueries]).size).toBeGreaterThanOrEqual(40);
      });
    });

    it('finds nothing where there is nothing', async () => {
      expect(await search('xqzvwyk')).toMatchObject({ found: 0, hits: [] });
      expect(await search('iphone', { filter_by: 'price:<0' })).toMatchObject({ found: 0, hits: [] });
    });
  },
);
