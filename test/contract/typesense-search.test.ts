/**
 * The contract of searching, through the official client: matching, filters, order, facets, pages, highlights, pinned
 * hits and many searches at once. Thresholds are spelled out where the outcome depends on them.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Errors } from 'typesense';
import { openTypesense, type TypesenseTarget } from '../support/typesense-target.ts';
import { hasOpenapi, schemaFaults } from '../support/typesense-openapi.ts';

type Phone = {
  id: string;
  name: string;
  brand: string;
  tags?: string[];
  price: number;
  stock: number;
  rank: number;
  isNew: boolean;
  sizes?: number[];
};

const phones: Phone[] = [
  {
    id: '1',
    name: 'Galaxy S7',
    brand: 'Samsung',
    tags: ['Phone', 'Android'],
    price: 600,
    stock: 3,
    rank: 90,
    isNew: false,
    sizes: [32, 64],
  },
  {
    id: '2',
    name: 'Galaxy S7 Edge',
    brand: 'Samsung',
    tags: ['Phone', 'Android'],
    price: 700.5,
    stock: 0,
    rank: 80,
    isNew: true,
    sizes: [64],
  },
  {
    id: '3',
    name: 'iPhone 7',
    brand: 'Apple',
    tags: ['Phone', 'iOS'],
    price: 650,
    stock: 9,
    rank: 95,
    isNew: true,
    sizes: [32, 128],
  },
  {
    id: '4',
    name: 'Case for Galaxy phones',
    brand: 'New World Gear',
    tags: ['Case'],
    price: 20,
    stock: 50,
    rank: 10,
    isNew: false,
  },
  {
    id: '5',
    name: 'Case for iPhone',
    brand: 'New World',
    tags: ['Case', 'Phone Case'],
    price: 25,
    stock: 40,
    rank: 20,
    isNew: false,
  },
  {
    id: '6',
    name: 'Wi-Fi café router (AT&T)',
    brand: 'Néw Gear',
    price: 99.99,
    stock: 1,
    rank: 5,
    isNew: true,
  },
];

let target: TypesenseTarget;
let name: string;
beforeAll(async () => {
  target = await openTypesense();
  name = target.name('phones');
  await target.client.collections().create({
    name,
    fields: [
      { name: 'name', type: 'string', sort: true },
      { name: 'brand', type: 'string', facet: true },
      { name: 'tags', type: 'string[]', facet: true, optional: true },
      { name: 'price', type: 'float', facet: true },
      { name: 'stock', type: 'int32' },
      { name: 'rank', type: 'int64' },
      { name: 'isNew', type: 'bool', facet: true },
      { name: 'sizes', type: 'int32[]', optional: true },
    ],
    default_sorting_field: 'rank',
  });
  await target.client.collections<Phone>(name).documents().import(phones);
});
afterAll(() => target.close());

type Parameters = { q: string } & Record<string, unknown>;
const strict = { query_by: 'name,brand', typo_tokens_threshold: 0, drop_tokens_threshold: 0 };
const search = (parameters: Parameters) =>
  target.client.collections<Phone>(name).documents().search(parameters, { cacheSearchResultsForSeconds: 0 });
const idsOf = async (parameters: Parameters): Promise<string[]> =>
  ((await search(parameters)).hits ?? []).map(hit => hit.document.id);
const setOf = async (parameters: Parameters): Promise<string> =>
  (await idsOf(parameters)).toSorted().join('');

describe('matching', () => {
  it.each([
    ['every word, wherever it stands and in any order', 's7 samsung', '12'],
    ['a word that is only begun, as the last one', 'gal', '124'],
    ['no word that is only begun, before the last one', 'gal s7', ''],
    ['capitals and accents alike', 'CAFE', '6'],
    ['words across symbols as one', 'wifi', '6'],
    ['symbols in the query as in the text', 'at&t', '6'],
    ['a phrase in quotes as it stands', '"galaxy s7"', '12'],
    ['no phrase with its words turned round', '"s7 galaxy"', ''],
    ['not what is excluded', 'galaxy -edge', '14'],
    ['not an excluded phrase', 'galaxy -"for galaxy"', '12'],
    ['a lone dash as nothing', 'galaxy - s7', '12'],
  ])('finds %s', async (_, q, expected) => {
    expect(await setOf({ ...strict, q })).toBe(expected);
  });

  it('completes no word where `prefix` is off', async () => {
    expect(await setOf({ ...strict, q: 'gal', prefix: false })).toBe('');
    expect(await setOf({ ...strict, q: 'sams', prefix: 'false,true' })).toBe('12');
  });

  it('forgives typos by the length of the word, and none where told so', async () => {
    const loose = { ...strict, typo_tokens_threshold: 10 };
    expect(await setOf({ ...loose, q: 'samsnug' })).toBe('12');
    expect(await setOf({ ...loose, q: 'galxay' })).toBe('124');
    expect(await setOf({ ...loose, q: 'smasnug' })).toBe('12');
    expect(await setOf({ ...loose, q: 's8' })).toBe('');
    expect(await setOf({ ...loose, q: 'glxy' })).toBe('');
    expect(await setOf({ ...loose, q: 'samsnug', num_typos: 0 })).toBe('');
    expect(await setOf({ ...loose, q: 'smasnug', num_typos: 1 })).toBe('');
  });

  it('puts the word as typed before the word with a typo', async () => {
    const item = target.name('typos');
    await target.client.collections().create({ name: item, fields: [{ name: 'name', type: 'string' }] });
    const documents = target.client.collections<{ id: string; name: string }>(item).documents();
    await documents.import([
      { id: 'literal', name: 'aple pie' },
      { id: 'meant', name: 'apple pie' },
    ]);
    const found = await documents.search({ q: 'aple', query_by: 'name', typo_tokens_threshold: 10 });
    expect(found.hits?.map(hit => hit.document.id)).toEqual(['literal', 'meant']);
    const few = await documents.search({ q: 'aple', query_by: 'name', typo_tokens_threshold: 1 });
    expect(few.hits?.map(hit => hit.document.id)).toEqual(['literal']);
  });

  it('drops words only while too little is found, and ranks what holds more words first', async () => {
    expect(await setOf({ ...strict, q: 'galaxy s7 edge case', drop_tokens_threshold: 0 })).toBe('');
    const found = await idsOf({ ...strict, q: 'galaxy s7 edge case', drop_tokens_threshold: 10 });
    expect(found[0]).toBe('2');
    expect(new Set(found)).toEqual(new Set(['1', '2', '4']));
  });

  it('prefers the heavier field, and then the default sorting field', async () => {
    const item = target.name('weights');
    await target.client.collections().create({
      name: item,
      fields: [
        { name: 'a', type: 'string' },
        { name: 'b', type: 'string' },
        { name: 'rank', type: 'int32' },
      ],
      default_sorting_field: 'rank',
    });
    const documents = target.client
      .collections<{ id: string; a: string; b: string; rank: number }>(item)
      .documents();
    await documents.import([
      { id: 'inA', a: 'red hat', b: 'x', rank: 1 },
      { id: 'inB', a: 'x', b: 'red hat', rank: 9 },
      { id: 'inA2', a: 'red cap', b: 'x', rank: 5 },
    ]);
    const order = async (query_by_weights: string): Promise<string[]> => {
      const found = await documents.search({ q: 'red', query_by: 'a,b', query_by_weights });
      return (found.hits ?? []).map(hit => hit.document.id);
    };
    expect(await order('9,1')).toEqual(['inA2', 'inA', 'inB']);
    expect(await order('1,9')).toEqual(['inB', 'inA2', 'inA']);
  });

  it('says how a hit matched', async () => {
    const [hit] = (await search({ ...strict, q: 'galaxy edge' })).hits ?? [];
    expect(hit?.text_match).toBeGreaterThan(0);
    expect(hit).toHaveProperty('text_match_info.tokens_matched', 2);
    expect(hit).toHaveProperty('text_match_info.num_tokens_dropped', 0);
  });

  it.each([
    [
      'a field that is not there',
      { query_by: 'nme' },
      Errors.ObjectNotFound,
      'Could not find a field named `nme`',
    ],
    ['a field of numbers', { query_by: 'price' }, Errors.RequestMalformed, 'should be a string'],
    ['no field', { query_by: undefined }, Errors.RequestMalformed, 'No search fields specified'],
    ['too few weights', { query_by_weights: '1' }, Errors.RequestMalformed, 'query_by_weights'],
  ])('refuses a query of %s', async (_, parameters, kind, message) => {
    const attempt = search({ ...strict, q: 'galaxy', ...parameters });
    await expect(attempt).rejects.toThrow(kind);
    await expect(attempt).rejects.toThrow(message);
  });
});

describe('a filter', () => {
  it.each([
    ['price:>600', '23'],
    ['price:>=600', '123'],
    ['price:<25', '4'],
    ['price: <= 25', '45'],
    ['price:=20', '4'],
    ['price:20', '4'],
    ['price:!=20', '12356'],
    ['price:[20..99.99]', '456'],
    ['price:[20, 25]', '45'],
    ['price:[<21, 600..660]', '134'],
    ['stock:[0,1]', '26'],
    ['stock:!=[0,1]', '1345'],
    ['sizes:64', '12'],
    ['sizes:>64', '3'],
    ['isNew:true', '236'],
    ['isNew:!=true', '145'],
    ['brand:=Samsung', '12'],
    ['brand:=samsung', '12'],
    ['brand:!=Samsung', '3456'],
    ['brand:[Samsung, Apple]', '123'],
    ['brand:=[Samsung, Apple]', '123'],
    ['brand:!=[Samsung, Apple]', '456'],
    ['brand:New World', '45'],
    ['brand:=New World', '5'],
    ['brand:=`New World`', '5'],
    ['brand:World New', ''],
    ['brand:Sam*', '12'],
    ['tags:Phone', '1235'],
    ['tags:=Phone', '123'],
    ['tags:=[iOS,Case]', '345'],
    ['tags:!=Phone', '456'],
    ['name:galaxy', '124'],
    ['name:=galaxy s7', '1'],
    ['name:=`Wi-Fi café router (AT&T)`', '6'],
    ['id:=2', '2'],
    ['id:[1,6,99]', '16'],
    ['id:!=[1,2,3]', '456'],
    ['brand:=Samsung && price:>650', '2'],
    ['brand:=Apple || price:<21', '34'],
    ['brand:=Apple || price:<26 && stock:>45', '34'],
    ['(brand:=Apple || price:<26) && stock:>39', '45'],
    ['((brand:=Samsung)) && (isNew:true || (stock:>2 && price:<601))', '12'],
    ['  brand : = Samsung&&stock:>0', '1'],
  ])('%s finds %s', async (filter_by, expected) => {
    expect(await setOf({ q: '*', filter_by })).toBe(expected);
  });

  it('narrows a query as it does everything', async () => {
    expect(await setOf({ ...strict, q: 'galaxy', filter_by: 'stock:>0' })).toBe('14');
  });

  it.each([
    'price',
    'price:',
    'price:>',
    'price:>cheap',
    'stock:1.5',
    'price:[1..]',
    'price:1 &&',
    '&& price:1',
    '(price:1',
    'price:1)',
    'price:1 price:2',
    'isNew:maybe',
    'brand:>Samsung',
    'brand:=`Samsung',
    'brand:[Samsung',
    'price:>1 | stock:1',
  ])('%s is refused', async filter_by => {
    await expect(search({ q: '*', filter_by })).rejects.toThrow(Errors.RequestMalformed);
  });

  it('on a field that is not there is refused as not found', async () => {
    await expect(search({ q: '*', filter_by: 'colour:red' })).rejects.toThrow(
      'Could not find a filter field named `colour` in the schema.',
    );
  });
});

describe('the order', () => {
  it.each([
    ['', '312546'],
    ['price:asc', '456132'],
    ['price:desc', '231654'],
    ['isNew:desc,price:asc', '632451'],
    ['name:asc', '451236'],
    ['stock:desc', '453162'],
  ])('of everything by "%s" is %s', async (sort_by, expected) => {
    expect((await idsOf({ q: '*', ...(sort_by === '' ? {} : { sort_by }) })).join('')).toBe(expected);
  });

  it('by match and then by a field is what was asked for', async () => {
    expect(await idsOf({ ...strict, q: 'galaxy s7', sort_by: '_text_match:desc,price:desc' })).toEqual([
      '1',
      '2',
    ]);
    expect(await idsOf({ ...strict, q: 'galaxy', sort_by: 'price:desc' })).toEqual(['2', '1', '4']);
  });

  it.each(['brand:asc', 'colour:asc', 'price', 'price:up', 'price:asc,stock:asc,rank:asc,isNew:asc'])(
    'by "%s" is refused',
    async sort_by => {
      await expect(search({ q: '*', sort_by })).rejects.toThrow(/sort/);
    },
  );
});

describe('facets', () => {
  const counts = async (parameters: Parameters) =>
    Object.fromEntries(
      ((await search(parameters)).facet_counts ?? []).map(facet => [
        facet.field_name,
        facet.counts.map(({ value, count }) => `${value}:${count}`),
      ]),
    );

  it('count the documents found, not the page shown', async () => {
    const found = await counts({ q: '*', facet_by: 'brand,tags,isNew', per_page: 1, filter_by: 'stock:>0' });
    expect(found['brand']?.toSorted()).toEqual([
      'Apple:1',
      'New World Gear:1',
      'New World:1',
      'Néw Gear:1',
      'Samsung:1',
    ]);
    expect(found['tags']?.slice(0, 2).toSorted()).toEqual(['Case:2', 'Phone:2']);
    expect(found['isNew']).toEqual(['false:3', 'true:2']);
  });

  it('of numbers come with their statistics', async () => {
    const [facet] = (await search({ q: '*', facet_by: 'price', filter_by: 'price:<100' })).facet_counts ?? [];
    expect(facet?.stats).toMatchObject({ min: 20, max: expect.closeTo(99.99, 3), total_values: 3 });
    expect(facet?.stats?.sum).toBeCloseTo(144.99, 3);
    expect(facet?.stats?.avg).toBeCloseTo(48.33, 3);
  });

  it('are cut to the number asked for, and searched in', async () => {
    expect((await counts({ q: '*', facet_by: 'tags', max_facet_values: 1 }))['tags']).toHaveLength(1);
    const found = await search({ q: '*', facet_by: 'brand,tags', facet_query: 'brand:wor' });
    const [brands, tags] = found.facet_counts ?? [];
    expect(new Map(brands?.counts.map(({ value, highlighted }) => [value, highlighted]))).toEqual(
      new Map([
        ['New World', 'New <mark>Wor</mark>ld'],
        ['New World Gear', 'New <mark>Wor</mark>ld Gear'],
      ]),
    );
    expect(tags?.counts.length).toBeGreaterThan(1);
  });

  it('of a field that is none are refused', async () => {
    await expect(search({ q: '*', facet_by: 'stock' })).rejects.toThrow('facet field named `stock`');
    await expect(search({ q: '*', facet_by: 'brand', facet_query: 'tags:x' })).rejects.toThrow(
      Errors.RequestMalformed,
    );
  });
});

describe('a page', () => {
  it('is a window on one order', async () => {
    const whole = await idsOf({ q: '*' });
    const paged = [];
    for (const page of [1, 2, 3]) paged.push(...(await idsOf({ q: '*', page, per_page: 2 })));
    expect(paged).toEqual(whole);
    expect(await idsOf({ q: '*', offset: 1, limit: 3 })).toEqual(whole.slice(1, 4));
    expect(await search({ q: '*', page: 9, per_page: 2 })).toMatchObject({
      found: 6,
      out_of: 6,
      page: 9,
      hits: [],
    });
    expect(await search({ q: '*', per_page: 0 })).toMatchObject({ found: 6, hits: [] });
  });

  it('has a largest size', async () => {
    await expect(search({ q: '*', per_page: 251 })).rejects.toThrow(Errors.ObjectUnprocessable);
    await expect(search({ q: '*', page: 'two' })).rejects.toThrow(Errors.RequestMalformed);
  });

  it('shows the fields asked for', async () => {
    const first = async (parameters: Record<string, unknown>) =>
      (await search({ q: '*', filter_by: 'id:=3', ...parameters })).hits?.[0]?.document;
    expect(await first({ include_fields: 'id,name' })).toEqual({ id: '3', name: 'iPhone 7' });
    expect(Object.keys((await first({ exclude_fields: 'name,tags,sizes' })) ?? {}).toSorted()).toEqual([
      'brand',
      'id',
      'isNew',
      'price',
      'rank',
      'stock',
    ]);
  });
});

describe('a highlight', () => {
  it('marks the words found, in both forms', async () => {
    const [hit] = (await search({ ...strict, q: 'galaxy edg' })).hits ?? [];
    expect(hit?.highlight).toMatchObject({
      name: { matched_tokens: ['Galaxy', 'Edg'], snippet: '<mark>Galaxy</mark> S7 <mark>Edg</mark>e' },
    });
    expect(hit?.highlights?.[0]).toMatchObject({
      field: 'name',
      snippet: '<mark>Galaxy</mark> S7 <mark>Edg</mark>e',
    });
  });

  it('marks the corrected word, other fields, and elements of a list', async () => {
    const [hit] = (await search({ ...strict, q: 'samsnug', typo_tokens_threshold: 10 })).hits ?? [];
    expect(hit?.highlight).toMatchObject({ brand: { snippet: '<mark>Samsung</mark>' } });
    const [listed] = (await search({ ...strict, q: 'case', query_by: 'name,tags' })).hits ?? [];
    const tags = listed?.highlights?.find(highlight => highlight.field === 'tags');
    expect(tags).toMatchObject({
      indices: expect.arrayContaining([0, 1]),
      snippets: expect.arrayContaining(['<mark>Case</mark>', 'Phone <mark>Case</mark>']),
    });
    const [other] =
      (await search({ ...strict, q: 'iphone', query_by: 'name', highlight_fields: 'tags' })).hits ?? [];
    expect(other?.highlight).not.toHaveProperty('name');
  });

  it('cuts a snippet from a long text, and gives the whole where asked', async () => {
    const item = target.name('long');
    await target.client.collections().create({ name: item, fields: [{ name: 'text', type: 'string' }] });
    const words = Array.from({ length: 80 }, (_, n) => `word${n}x`);
    words[40] = 'needle';
    const documents = target.client.collections<{ id: string; text: string }>(item).documents();
    await documents.create({ id: '1', text: words.join(' ') });
    const found = await documents.search({
      q: 'needle',
      query_by: 'text',
      highlight_full_fields: 'text',
      highlight_affix_num_tokens: 2,
      highlight_start_tag: '<b>',
      highlight_end_tag: '</b>',
    });
    const [highlight] = found.hits?.[0]?.highlights ?? [];
    expect(highlight?.snippet).toContain('<b>needle</b>');
    expect(highlight?.snippet?.split(' ').length).toBeLessThan(12);
    expect(highlight?.value?.split(' ')).toHaveLength(80);
  });
});

describe('pinned and hidden hits', () => {
  it('stand where they were put, whatever the query says', async () => {
    const found = await search({ ...strict, q: 'galaxy', pinned_hits: '3:1,5:3', hidden_hits: '4' });
    expect(found.hits?.map(hit => hit.document.id)).toEqual(['3', '1', '5', '2']);
    expect(found.found).toBe(4);
  });
});

describe('many searches in one request', () => {
  it('are answered each in its place, also where one fails', async () => {
    const { results } = await target.client.multiSearch.perform<Phone[]>(
      {
        searches: [
          { collection: name, q: 'galaxy' },
          { collection: target.name('nowhere'), q: '*' },
          { collection: name, q: '*', filter_by: 'brand:=Apple', facet_by: 'brand' },
          { collection: name, q: '*', filter_by: 'broken' },
        ],
      },
      { query_by: 'name', per_page: 1 },
    );
    expect(results.map(result => result.found)).toEqual([3, undefined, 1, undefined]);
    expect(results[1]).toMatchObject({ code: 404 });
    expect(results[3]).toMatchObject({ code: 400 });
    expect(results[0]?.hits).toHaveLength(1);
    expect(results[0]?.request_params).toMatchObject({ q: 'galaxy', per_page: 1, collection_name: name });
  });

  it('need a right to each collection', async () => {
    const key = await target.client
      .keys()
      .create({ description: 'one', actions: ['documents:search'], collections: [name] });
    const holder = target.clientFor(key.value ?? '');
    const allowed = { collection: name, q: '*' };
    expect((await holder.multiSearch.perform<[Phone]>({ searches: [allowed] })).results).toHaveLength(1);
    const denied = { searches: [allowed, { collection: 'other', q: '*' }] };
    await expect(holder.multiSearch.perform(denied)).rejects.toThrow(Errors.RequestUnauthorized);
    await target.client.keys(key.id).delete();
  });
});

it('answers unusual queries with an answer, never with an error of its own', async () => {
  const queries = [
    '',
    ' ',
    '"',
    '""',
    '-',
    '*a',
    '(',
    'NEAR(a b)',
    'a AND',
    "'; DROP TABLE",
    '\u0000',
    '💥',
    'a'.repeat(3000),
    '日本',
    'f0:x',
    '__proto__',
  ];
  for (const q of queries) {
    const answer = await search({ ...strict, query_by: 'name,brand,tags', q });
    expect({ q, found: answer.found }).toEqual({ q, found: expect.any(Number) });
  }
});

it.skipIf(!hasOpenapi)('answers in the shape of the published description (skipped without it)', async () => {
  const answers: unknown[] = [
    await search({ ...strict, q: 'galaxy', facet_by: 'brand,price', pinned_hits: '3:1' }),
    await search({ q: '*', facet_by: 'tags', facet_query: 'tags:ph', highlight_full_fields: 'name' }),
    await search({ ...strict, q: 'case', query_by: 'name,tags', highlight_full_fields: 'tags' }),
    await search({ ...strict, q: 'nothing at all like it' }),
  ];
  for (const answer of answers) {
    expect(schemaFaults('SearchResult', answer)).toEqual([]);
    expect(answer).toMatchObject({
      facet_counts: expect.any(Array),
      found: expect.any(Number),
      hits: expect.any(Array),
      out_of: 6,
      page: 1,
      search_cutoff: false,
      search_time_ms: expect.any(Number),
    });
  }
  const many = await target.client.multiSearch.perform({ searches: [{ collection: name, q: '*' }] });
  expect(schemaFaults('MultiSearchResult', many)).toEqual([]);
});
