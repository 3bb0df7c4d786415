import { readFileSync } from 'node:fs';
import path from 'node:path';
import { initTRPC } from '@trpc/server';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  canonicalProduct,
  cursorAfter,
  lowestPriceOf,
  readCursor,
  slugChoices,
  wordsOf,
} from '../../server/catalog/catalog.rules.ts';
import { type Product, productInputSchema, slugSchema } from '../../server/catalog/product.ts';
import { createProductCache } from '../../server/catalog/product-cache.ts';
import { createSlugLookup } from '../../server/catalog/slug-lookup.ts';
import { checkedOnce } from '../../server/catalog/checked-once.ts';
import { productIdSchema, skuSchema } from '../../server/ids.ts';
import { priceBandEndOf, priceBandOf } from '../../server/search/price-bands.rules.ts';
import { filterByOf, highlightHtml, searchesOf } from '../../server/search/search.rules.ts';
import { productFrom } from '../support/real-products.ts';

const id = productIdSchema.parse('lamp');

const lamp = productInputSchema.parse({
  productId: 'lamp',
  title: 'Lamp',
  variants: [{ sku: 'lamp', price: { amount: 1, currency: 'USD' } }],
});
const lampAt = (rev: number) => productFrom(lamp, { rev });

describe('the rules of the catalog', () => {
  test('find words without accents, signs and repetition', () => {
    expect(wordsOf('  Crème-Brûlée, crème & 4K™ ')).toEqual(['creme', 'brulee', '4k']);
    expect(wordsOf('… !')).toEqual([]);
  });

  test('take the same product for the same, however its attributes are ordered', () => {
    const product = (attributes: Record<string, string>) =>
      productInputSchema.parse({
        productId: 'a',
        title: 'A',
        variants: [{ sku: 'a', price: { amount: 1, currency: 'USD' }, attributes }],
      });
    expect(canonicalProduct(product({ x: '1', y: '2' }))).toBe(canonicalProduct(product({ y: '2', x: '1' })));
    expect(canonicalProduct(product({ x: '1' }))).not.toBe(canonicalProduct(product({ x: '2' })));
  });

  test('price a product by its cheapest variant', () => {
    const sku = skuSchema.parse('x');
    const price = (amount: number) => ({ sku, price: { amount, currency: 'USD' } });
    expect(lowestPriceOf([price(3), price(1), price(2)])).toEqual({ amount: 1, currency: 'USD' });
  });

  test('read no cursor but their own', () => {
    expect(readCursor(cursorAfter(id))).toBe('lamp');
    expect(readCursor('bGFtcA')).toBeNull();
    expect(readCursor('')).toBeNull();
  });
});

describe('a product as the shop sends it', () => {
  const usd = (amount: number) => ({ amount, currency: 'USD' });
  const withVariants = (...variants: Record<string, unknown>[]) =>
    productInputSchema.safeParse({
      productId: 'a',
      title: 'A',
      variants: variants.map((variant, index) => ({ sku: `a-${index}`, price: usd(1), ...variant })),
    });

  test.each<[string, Record<string, unknown>[]]>([
    ['must be a GTIN', [{ barcode: '4006381333930' }]],
    ['must be a GTIN', [{ barcode: '123456789' }]],
    ['a barcode stands there twice', [{ barcode: '96385074' }, { barcode: '96385074' }]],
    ['a currency stands there twice', [{ prices: [usd(2)] }]],
    ['in the same currencies', [{ prices: [{ amount: 1, currency: 'EUR' }] }, {}]],
    ['name the same options', [{ options: { Size: 'M' } }, { options: { Colour: 'Teal' } }]],
    ['name the same options', [{ options: { Size: 'M' } }, {}]],
    ['two variants have the same options', [{ options: { Size: 'M' } }, { options: { Size: 'M' } }]],
    ['Invalid key', [{ options: { $where: 'x' } }]],
    ['Invalid key', [{ options: { constructor: 'x' } }]],
  ])('is refused where it %s', (reason, variants) => {
    const parsed = withVariants(...variants);
    expect(parsed.success).toBe(false);
    expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(reason);
  });

  test.each(['96385074', '036000291452', '4006381333931', '10614141000415'])(
    'may have the barcode %s',
    code => {
      expect(withVariants({ barcode: code }).success).toBe(true);
    },
  );

  test.each(['', '-a', 'a-', 'a--b', 'A', 'a/b', 'ä', 'x'.repeat(81)])('cannot have the slug “%s”', slug => {
    expect(productInputSchema.safeParse({ ...lamp, slug }).success).toBe(false);
  });

  test('has a slug of its title that is one, whatever the title', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 }), title => {
        for (const slug of slugChoices({ title, productId: id }, '0123456789'))
          expect(slugSchema.safeParse(slug).success).toBe(true);
      }),
    );
    expect(slugChoices({ title: 'Łódź Øresund', productId: id }, 'f')).toEqual([
      'lodz-oresund',
      'lodz-oresund-f',
    ]);
  });

  test('is the same in whatever order its currencies and options come', () => {
    const [one, other] = [
      { prices: [usd(1), { amount: 2, currency: 'CHF' }], options: { a: '1', b: '2' } },
      { prices: [{ amount: 2, currency: 'CHF' }, usd(1)], options: { b: '2', a: '1' } },
    ].map(more => withVariants({ price: { amount: 1, currency: 'EUR' }, ...more }).data);
    if (!one || !other) throw new Error('both are products');
    expect(canonicalProduct(one)).toBe(canonicalProduct(other));
    expect(canonicalProduct({ ...one, status: 'draft' })).not.toBe(canonicalProduct(one));
    expect(canonicalProduct({ ...one, taxClass: 'zero' })).not.toBe(canonicalProduct(one));
  });
});

describe('what a process remembers of a product', () => {
  test('is not a state that changed while it was being read', async () => {
    const answers: ((product: Product) => void)[] = [];
    const cache = createProductCache(() => new Promise(resolve => answers.push(resolve)));
    const before = cache.get(id);
    cache.forget([id]);
    const after = cache.get(id);
    expect(answers).toHaveLength(2);
    answers[1]?.(lampAt(2));
    answers[0]?.(lampAt(1));
    expect((await before)?.rev).toBe(1);
    expect((await after)?.rev).toBe(2);
    expect((await cache.get(id))?.rev).toBe(2);
    expect(answers).toHaveLength(2);
  });

  test('includes that there is none, until there is', async () => {
    let readsCount = 0;
    const served: string[] = [];
    const cache = createProductCache(
      async () => {
        readsCount += 1;
        return readsCount === 1 ? null : lampAt(1);
      },
      by => served.push(by),
    );
    expect(await cache.get(id)).toBeNull();
    expect(await cache.get(id)).toBeNull();
    expect(readsCount).toBe(1);
    cache.forgetAll();
    expect((await cache.get(id))?.rev).toBe(1);
    expect(served).toEqual(['memory']);
  });

  test('is never a failure', async () => {
    let readsCount = 0;
    const cache = createProductCache(async () => {
      readsCount += 1;
      if (readsCount === 1) throw new Error('the database is away');
      return lampAt(1);
    });
    await expect(cache.get(id)).rejects.toThrow('the database is away');
    expect((await cache.get(id))?.rev).toBe(1);
  });
});

describe('a product by its slug', () => {
  function lookup(slugs: Map<string, Product>) {
    const asked: string[] = [];
    return {
      asked,
      bySlug: createSlugLookup({
        idOfSlug: async slug => {
          asked.push(slug);
          return slugs.get(slug)?.productId ?? null;
        },
        product: async productId =>
          [...slugs.values()].find(product => product.productId === productId) ?? null,
      }),
    };
  }

  test('is looked up once, however many ask, and again when the slug is another’s', async () => {
    const other = { ...lampAt(1), productId: productIdSchema.parse('other') };
    const slugs = new Map([['lamp', lampAt(1)]]);
    const { bySlug, asked } = lookup(slugs);
    const all = await Promise.all(Array.from({ length: 1_000 }, () => bySlug('lamp')));
    expect(all.every(product => product?.productId === 'lamp')).toBe(true);
    expect((await bySlug('lamp'))?.productId).toBe('lamp');
    expect(asked).toEqual(['lamp']);
    slugs.set('old-lamp', { ...lampAt(2), slug: 'old-lamp' }).set('lamp', other);
    expect((await bySlug('lamp'))?.productId).toBe('other');
    expect((await bySlug('old-lamp'))?.rev).toBe(2);
    slugs.delete('lamp');
    expect(await bySlug('lamp')).toBeNull();
  });

  test('that nobody has is found as soon as somebody has it', async () => {
    const slugs = new Map<string, Product>();
    const { bySlug, asked } = lookup(slugs);
    expect(await Promise.all([bySlug('lamp'), bySlug('lamp')])).toEqual([null, null]);
    expect(asked).toEqual(['lamp']);
    slugs.set('lamp', lampAt(1));
    expect((await bySlug('lamp'))?.rev).toBe(1);
  });
});

describe('an answer that is checked once', () => {
  const { procedure, router } = initTRPC.create();
  const sizes = z.object({ sizes: z.array(z.string()) });

  test('is looked at once by tRPC, however often it is given, and stays as it was looked at', async () => {
    let looksCount = 0;
    const schema = checkedOnce(sizes.refine(() => (looksCount += 1) > 0));
    const answers = [{ sizes: ['S'] }, { sizes: ['M'] }];
    const { answer } = router({
      answer: procedure
        .input(z.int())
        .output(schema)
        .query(({ input }) => answers[input] ?? { sizes: [] }),
    }).createCaller({});
    const first = await answer(0);
    expect(await answer(0)).toBe(first);
    expect(await answer(1)).toEqual({ sizes: ['M'] });
    expect(looksCount).toBe(2);
    expect([first, first.sizes, answers[0]].every(each => Object.isFrozen(each))).toBe(true);
  });

  test('is refused each time where it is not what it should be', async () => {
    const wrong = JSON.parse('{ "sizes": 4 }');
    const { answer } = router({
      answer: procedure.output(checkedOnce(sizes)).query(() => wrong),
    }).createCaller({});
    for (const _time of [1, 2]) await expect(answer()).rejects.toThrow('Output validation failed');
  });
});

describe('price ranges', () => {
  test('cover every price once, in the minor units of the currency', () => {
    expect(priceBandOf({ amount: 0, currency: 'USD' })).toBe(0);
    expect(priceBandOf({ amount: 999, currency: 'USD' })).toBe(0);
    expect(priceBandOf({ amount: 1_000, currency: 'USD' })).toBe(1_000);
    expect(priceBandOf({ amount: 99_999_999, currency: 'USD' })).toBe(250_000);
    expect(priceBandEndOf(1_000, 'USD')).toBe(2_500);
    expect(priceBandEndOf(250_000, 'USD')).toBeNull();
    expect(priceBandOf({ amount: 1_500, currency: 'JPY' })).toBe(1_000);
    expect(priceBandOf({ amount: 10_000, currency: 'KWD' })).toBe(10_000);
  });
});

describe('a search for Typesense', () => {
  const none = {
    brands: [],
    categories: [],
    priceMin: undefined,
    priceMax: undefined,
    inStock: undefined,
    drops: [],
  };

  test('has its filters from typed values, each between backticks', () => {
    expect(
      filterByOf({
        brands: ['AT&T', 'A] || price:>0'],
        categories: ['x, y'],
        priceMin: 0,
        priceMax: 99,
        inStock: true,
        drops: [],
      }),
    ).toBe(
      'brand:=[`AT&T`,`A] || price:>0`] && categories:=[`x, y`] && price:>=0 && price:<=99 && inStock:=true',
    );
    expect(filterByOf({ ...none, inStock: false, drops: [] })).toBe('inStock:=false');
    expect(filterByOf(none)).toBe('');
  });

  test('is never built from what could end a value', () => {
    expect(() => filterByOf({ ...none, brands: ['a`b'] })).toThrow(RangeError);
    expect(() => filterByOf({ ...none, priceMin: Number.NaN })).toThrow(RangeError);
  });

  test('counts each facet that is filtered by without its own filter', () => {
    const searches = searchesOf({
      text: 'x',
      filters: { ...none, brands: ['A'], priceMax: 5 },
      sort: 'relevance',
      page: 1,
      perPage: 20,
    });
    expect(searches.map(search => search['filter_by'])).toEqual([
      'brand:=[`A`] && price:<=5',
      'price:<=5',
      'brand:=[`A`]',
    ]);
  });

  test('shows what matched as HTML in which the product’s own text is no HTML', () => {
    expect(highlightHtml('<b> \ue000hit\ue001 & "x"')).toBe('&#60;b&#62; <mark>hit</mark> &#38; &#34;x&#34;');
  });
});

describe('the demo catalog', () => {
  const file = path.resolve(import.meta.dirname, '../../scripts/demo/catalog.json');
  const products = z.array(productInputSchema).parse(JSON.parse(readFileSync(file, 'utf8')));

  test('is large and varied enough to show the shop well', () => {
    expect(products.length).toBeGreaterThanOrEqual(24);
    expect(new Set(products.map(product => product.brand)).size).toBeGreaterThan(8);
    expect(new Set(products.flatMap(product => product.categories)).size).toBeGreaterThan(15);
    for (const product of products) {
      expect(product.description?.length).toBeGreaterThan(60);
      expect(
        product.variants.every(variant => variant.attributes?.['icon'] && variant.attributes['hex']),
      ).toBe(true);
    }
  });

  test('has each id and each SKU once', () => {
    const ids = products.map(product => product.productId);
    const skus = products.flatMap(product => product.variants.map(variant => variant.sku));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(skus).size).toBe(skus.length);
  });
});
