/**
 * The contract of the search server as a store, through the official client: collections, aliases, documents, import,
 * export and keys. Runs against the embedded server, and against a real one where it is named (see the target).
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Errors } from 'typesense';
import { openTypesense, type TypesenseTarget } from '../support/typesense-target.ts';
import { answerFaults, hasOpenapi, schemaFaults } from '../support/typesense-openapi.ts';

let target: TypesenseTarget;
beforeAll(async () => {
  target = await openTypesense();
});
afterAll(() => target.close());

const fields = [
  { name: 'title', type: 'string' as const },
  { name: 'brand', type: 'string' as const, facet: true },
  { name: 'tags', type: 'string[]' as const, facet: true, optional: true },
  { name: 'price', type: 'float' as const, facet: true },
  { name: 'stock', type: 'int32' as const, optional: true },
  { name: 'soldAtMs', type: 'int64' as const, optional: true },
  { name: 'isNew', type: 'bool' as const, optional: true },
  { name: 'note', type: 'string' as const, optional: true, index: false },
];

type Item = {
  id?: string;
  title?: unknown;
  brand?: string;
  tags?: string[];
  price?: unknown;
  stock?: unknown;
  soldAtMs?: unknown;
  isNew?: unknown;
  note?: string;
};

async function newCollection(what: string): Promise<string> {
  const name = target.name(what);
  await target.client.collections().create({ name, fields, default_sorting_field: 'price' });
  return name;
}

const documentsOf = (name: string) => target.client.collections<Item>(name).documents();
const lamp = { id: 'lamp', title: 'Desk lamp', brand: 'Acme', price: 12.5 };

describe('a collection', () => {
  it('is created, found, listed first, and deleted', async () => {
    const name = await newCollection('life');
    const found = await target.client.collections(name).retrieve();
    expect(found).toMatchObject({ name, num_documents: 0, default_sorting_field: 'price' });
    expect(found.fields.find(field => field.name === 'stock')).toMatchObject({ optional: true, sort: true });
    expect(found.fields.find(field => field.name === 'title')).toMatchObject({ facet: false, sort: false });
    expect((await target.client.collections().retrieve())[0]?.name).toBe(name);
    expect(await target.client.collections(name).exists()).toBe(true);
    expect(await target.client.collections(name).delete()).toMatchObject({ name });
    expect(await target.client.collections(name).exists()).toBe(false);
  });

  it('is refused under a name that is taken', async () => {
    const name = await newCollection('taken');
    await expect(target.client.collections().create({ name, fields })).rejects.toThrow(
      Errors.ObjectAlreadyExists,
    );
  });

  it.each([
    ['an unknown type', { fields: [{ name: 'x', type: 'strange' }] }, 'invalid data type'],
    [
      'a sorting field that is not declared',
      { fields, default_sorting_field: 'rank' },
      'not found in the schema',
    ],
    ['a sorting field of text', { fields, default_sorting_field: 'title' }, 'Default sorting field `title`'],
    ['no fields', {}, 'fields'],
  ])('is refused with %s', async (_, schema, message) => {
    const answer = await fetch(`${target.url}/collections`, {
      method: 'POST',
      headers: { 'x-typesense-api-key': target.apiKey },
      body: JSON.stringify({ name: target.name('bad'), ...schema }),
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain(message);
  });

  it('is not found under an unknown name', async () => {
    const unknown = target.client.collections<Item>(target.name('nowhere'));
    await expect(unknown.retrieve()).rejects.toThrow(Errors.ObjectNotFound);
    await expect(unknown.delete()).rejects.toThrow(Errors.ObjectNotFound);
    await expect(unknown.documents().search({ q: '*' })).rejects.toThrow(Errors.ObjectNotFound);
    await expect(unknown.documents().create(lamp)).rejects.toThrow(Errors.ObjectNotFound);
  });

  it('gains and loses fields, with the documents that it has', async () => {
    const name = await newCollection('fields');
    await documentsOf(name).create({ ...lamp, note: 'brass' });
    const change = await target.client.collections(name).update({
      fields: [
        { name: 'note', drop: true },
        { name: 'note', type: 'string', optional: true, facet: true },
        { name: 'tags', drop: true },
      ],
    });
    expect(change.fields).toHaveLength(3);
    const found = await documentsOf(name).search({ q: 'brass', query_by: 'note', facet_by: 'note' });
    expect(found.hits?.map(hit => hit.document.id)).toEqual(['lamp']);
    await expect(documentsOf(name).search({ q: '*', facet_by: 'tags' })).rejects.toThrow('facet field');
  });

  it('keeps its schema where its documents do not fit a new field', async () => {
    const name = await newCollection('misfit');
    await documentsOf(name).create(lamp);
    const change = { fields: [{ name: 'weight', type: 'float' as const }] };
    await expect(target.client.collections(name).update(change)).rejects.toThrow(Errors.RequestMalformed);
    const { fields: kept } = await target.client.collections(name).retrieve();
    expect(kept.some(field => field.name === 'weight')).toBe(false);
    expect((await documentsOf(name).search({ q: 'lamp', query_by: 'title' })).found).toBe(1);
  });
});

describe('an alias', () => {
  it('stands for its collection everywhere, and moves in one step', async () => {
    const [first, second] = [await newCollection('first'), await newCollection('second')];
    const alias = target.name('alias');
    await documentsOf(first).create({ ...lamp, title: 'Old lamp' });
    await documentsOf(second).create({ ...lamp, title: 'New lamp' });
    await target.client.aliases().upsert(alias, { collection_name: first });
    expect(await documentsOf(alias).search({ q: 'old', query_by: 'title' })).toMatchObject({ found: 1 });
    await target.client.aliases().upsert(alias, { collection_name: second });
    expect(await target.client.collections<Item>(alias).documents('lamp').retrieve()).toMatchObject({
      title: 'New lamp',
    });
    expect(await target.client.aliases(alias).retrieve()).toEqual({ name: alias, collection_name: second });
    const { aliases } = await target.client.aliases().retrieve();
    expect(aliases).toContainEqual({ name: alias, collection_name: second });
    await target.client.aliases(alias).delete();
    await expect(target.client.aliases(alias).retrieve()).rejects.toThrow(Errors.ObjectNotFound);
    await expect(documentsOf(alias).search({ q: '*' })).rejects.toThrow(Errors.ObjectNotFound);
  });

  it('cannot take the name of a collection', async () => {
    const name = await newCollection('named');
    await expect(target.client.aliases().upsert(name, { collection_name: name })).rejects.toThrow(
      'conflicts',
    );
  });
});

describe('a document', () => {
  it('is created once, replaced, changed in part, and deleted', async () => {
    const name = await newCollection('documents');
    expect(await documentsOf(name).create({ ...lamp, stock: 3 })).toMatchObject({ id: 'lamp', stock: 3 });
    await expect(documentsOf(name).create(lamp)).rejects.toThrow(Errors.ObjectAlreadyExists);
    await documentsOf(name).upsert({ ...lamp, title: 'Floor lamp' });
    const replaced = await target.client.collections<Item>(name).documents('lamp').retrieve();
    expect(replaced).toEqual({ ...lamp, title: 'Floor lamp' });
    await target.client.collections<Item>(name).documents('lamp').update({ price: 20 });
    await documentsOf(name).update({ id: 'lamp', stock: 9 }, {});
    await documentsOf(name).emplace({ id: 'lamp', brand: 'Zeus' }, {});
    const changed = await target.client.collections<Item>(name).documents('lamp').retrieve();
    expect(changed).toEqual({ ...lamp, title: 'Floor lamp', price: 20, stock: 9, brand: 'Zeus' });
    expect(await target.client.collections<Item>(name).documents('lamp').delete()).toMatchObject({
      id: 'lamp',
    });
    await expect(target.client.collections<Item>(name).documents('lamp').retrieve()).rejects.toThrow(
      'Could not find a document with id: lamp',
    );
  });

  it('is found by what it says now, not by what it said', async () => {
    const name = await newCollection('reindexed');
    await documentsOf(name).create(lamp);
    await documentsOf(name).upsert({ ...lamp, title: 'Oak chair', brand: 'Zeus', price: 99 });
    const search = { query_by: 'title', facet_by: 'brand,price' };
    expect((await documentsOf(name).search({ ...search, q: 'lamp' })).found).toBe(0);
    const found = await documentsOf(name).search({ ...search, q: 'chair', filter_by: 'price:>50' });
    expect(found.found).toBe(1);
    expect(found.facet_counts?.map(facet => facet.counts.map(({ value, count }) => [value, count]))).toEqual([
      [['Zeus', 1]],
      [['99', 1]],
    ]);
  });

  it('gets an id where it has none', async () => {
    const name = await newCollection('ids');
    const { id: _, ...nameless } = lamp;
    const { id } = await documentsOf(name).create(nameless);
    expect(id).toMatch(/^\d+$/);
    expect((await documentsOf(name).search({ q: '*', filter_by: `id:=${id}` })).found).toBe(1);
  });

  it.each([
    ['without a required field', { price: undefined }, 'Field `price` has been declared in the schema'],
    ['with null for a required field', { price: null }, 'Field `price` has been declared in the schema'],
    ['with an object for a string', { title: { a: 1 } }, 'Field `title` must be a string'],
    ['with words for a number', { price: 'cheap' }, 'Field `price` must be a float'],
    ['with a number that is no int32', { stock: 2 ** 40 }, 'Field `stock` must be an int32'],
    ['with a number for its id', { id: 7 }, '`id` field should be a string'],
  ])('is refused %s', async (_, change, message) => {
    const name = await newCollection(`bad${Object.keys(change).join()}${message.length}${_.length}`);
    const answer = await fetch(`${target.url}/collections/${name}/documents`, {
      method: 'POST',
      headers: { 'x-typesense-api-key': target.apiKey },
      body: JSON.stringify({ ...lamp, ...change }),
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(await answer.json())).toContain(message);
    expect((await target.client.collections(name).retrieve()).num_documents).toBe(0);
  });

  it('is coerced where its values can only mean one thing, and not under `reject`', async () => {
    const name = await newCollection('coerced');
    const loose = { ...lamp, title: 7, price: '12.5', stock: '3', isNew: 'true' };
    expect(await documentsOf(name).create(loose)).toMatchObject({
      title: '7',
      price: 12.5,
      stock: 3,
      isNew: true,
    });
    await expect(documentsOf(name).upsert(loose, { dirty_values: 'reject' })).rejects.toThrow('must be');
  });

  it('is changed or deleted by a query', async () => {
    const name = await newCollection('queries');
    await documentsOf(name).import([1, 2, 3, 4].map(n => ({ ...lamp, id: `${n}`, price: n, stock: n })));
    expect(await documentsOf(name).update({ brand: 'Zeus' }, { filter_by: 'stock:>=3' })).toEqual({
      num_updated: 2,
    });
    expect(await documentsOf(name).delete({ filter_by: 'brand:=Zeus && price:<4' })).toEqual({
      num_deleted: 1,
    });
    const left = await documentsOf(name).search({ q: '*', sort_by: 'price:asc' });
    expect(left.hits?.map(hit => [hit.document.id, hit.document.brand])).toEqual([
      ['1', 'Acme'],
      ['2', 'Acme'],
      ['4', 'Zeus'],
    ]);
    expect(left.out_of).toBe(3);
    await expect(documentsOf(name).delete({})).rejects.toThrow('filter_by');
  });
});

describe('an import', () => {
  it('answers for each document, in order, and takes the good ones', async () => {
    const name = await newCollection('partial');
    const items = [lamp, { ...lamp, id: 'b', price: 'much' }, lamp, { ...lamp, id: 'd' }];
    const failure: unknown = await documentsOf(name)
      .import(items)
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Errors.ImportError);
    const results = failure instanceof Errors.ImportError ? failure.importResults : [];
    expect(results.map(result => result.success)).toEqual([true, false, false, true]);
    expect(results[1]).toMatchObject({ code: 400, document: JSON.stringify(items[1]) });
    expect(results[2]).toMatchObject({ code: 409 });
    expect((await target.client.collections(name).retrieve()).num_documents).toBe(2);
  });

  it('takes lines as text and answers lines as text', async () => {
    const name = await newCollection('lines');
    const body = `${JSON.stringify(lamp)}\n{"broken\n\n`;
    const answer = await fetch(`${target.url}/collections/${name}/documents/import?return_id=true`, {
      method: 'POST',
      headers: { 'x-typesense-api-key': target.apiKey, 'content-type': 'text/plain' },
      body,
    });
    expect(answer.headers.get('content-type')).toContain('text/plain');
    const lines = (await answer.text()).split('\n').map((line): unknown => JSON.parse(line));
    expect(lines).toMatchObject([
      { success: true, id: 'lamp' },
      { success: false, code: 400, document: '{"broken' },
    ]);
  });

  it('creates, replaces, changes or does either, as its action says', async () => {
    const name = await newCollection('actions');
    const both = [
      { ...lamp, stock: 1 },
      { ...lamp, id: 'other', stock: 1 },
    ];
    await documentsOf(name).import([lamp]);
    const outcomes = async (action: 'create' | 'update' | 'upsert' | 'emplace'): Promise<boolean[]> =>
      (await documentsOf(name).import(both, { action, throwOnFail: false })).map(result => result.success);
    expect(await outcomes('update')).toEqual([true, false]);
    expect(await outcomes('create')).toEqual([false, true]);
    expect(await outcomes('upsert')).toEqual([true, true]);
    expect(await outcomes('emplace')).toEqual([true, true]);
    expect((await target.client.collections(name).retrieve()).num_documents).toBe(2);
  });
});

describe('an export', () => {
  it('gives back every document as it was imported', async () => {
    const name = await newCollection('export');
    const items = Array.from({ length: 1_234 }, (_, n) => ({
      ...lamp,
      id: `${n}`,
      price: n,
      note: `no ${n}`,
    }));
    await documentsOf(name).import(items);
    const lines = (await documentsOf(name).export()).split('\n');
    expect(lines.map((line): unknown => JSON.parse(line))).toEqual(items);
  });

  it('is narrowed by a filter and to some fields', async () => {
    const name = await newCollection('narrow');
    await documentsOf(name).import([lamp, { ...lamp, id: 'b', price: 99 }]);
    const text = await documentsOf(name).export({ filter_by: 'price:>50', include_fields: 'id,price' });
    expect(text).toBe('{"id":"b","price":99}');
  });
});

describe('a key', () => {
  it('opens what it names and nothing else', async () => {
    const [open, closed] = [await newCollection('open'), await newCollection('closed')];
    const key = await target.client.keys().create({
      description: 'search and write one collection',
      actions: ['documents:search', 'documents:create'],
      collections: [open],
    });
    const holder = target.clientFor(key.value ?? '');
    expect((await holder.collections<Item>(open).documents().search({ q: '*' })).found).toBe(0);
    await holder.collections<Item>(open).documents().create(lamp);
    await expect(holder.collections<Item>(closed).documents().search({ q: '*' })).rejects.toThrow(
      Errors.RequestUnauthorized,
    );
    await expect(holder.collections<Item>(open).documents().upsert(lamp)).rejects.toThrow('Forbidden');
    await expect(holder.collections(open).delete()).rejects.toThrow(Errors.RequestUnauthorized);
    await expect(holder.keys().retrieve()).rejects.toThrow(Errors.RequestUnauthorized);
    const shown = await target.client.keys(key.id).retrieve();
    expect(shown).toMatchObject({ id: key.id, value_prefix: key.value?.slice(0, 4) });
    expect(shown).not.toHaveProperty('value');
    expect(await target.client.keys(key.id).delete()).toEqual({ id: key.id });
    await expect(holder.collections<Item>(open).documents().search({ q: '*' })).rejects.toThrow('Forbidden');
  });

  it('is refused when it is missing, wrong or past its end', async () => {
    const past = await target.client.keys().create({
      description: 'past',
      actions: ['*'],
      collections: ['*'],
      expires_at: 1_000_000_000,
    });
    for (const key of [undefined, 'wrong', past.value]) {
      const headers: Record<string, string> = key === undefined ? {} : { 'x-typesense-api-key': key };
      const answer = await fetch(`${target.url}/collections`, { headers });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({
        message: 'Forbidden - a valid `x-typesense-api-key` header must be sent.',
      });
    }
    expect((await fetch(`${target.url}/health`)).status).toBe(200);
    await target.client.keys(past.id).delete();
  });

  it('can be scoped: its filter cannot be widened, and its end is kept', async () => {
    const name = await newCollection('scoped');
    await documentsOf(name).import([
      { ...lamp, id: 'a', brand: 'Acme', stock: 1 },
      { ...lamp, id: 'b', brand: 'Zeus', stock: 1 },
      { ...lamp, id: 'c', brand: 'Acme', stock: 5 },
    ]);
    const parent = await target.client.keys().create({
      description: 'search only',
      actions: ['documents:search'],
      collections: [name],
    });
    const scoped = (parameters: Record<string, unknown>) =>
      target
        .clientFor(target.client.keys().generateScopedSearchKey(parent.value ?? '', parameters))
        .collections<Item>(name)
        .documents();
    const ids = async (own: string | undefined): Promise<string[]> => {
      const filter = own === undefined ? {} : { filter_by: own };
      const found = await scoped({ filter_by: 'brand:=Acme' }).search({ q: '*', ...filter });
      return (found.hits ?? []).map(hit => hit.document.id ?? '').toSorted();
    };
    expect(await ids(undefined)).toEqual(['a', 'c']);
    expect(await ids('stock:>2')).toEqual(['c']);
    expect(await ids('brand:=Zeus')).toEqual([]);
    expect(await ids('brand:=Zeus || stock:>0')).toEqual(['a', 'c']);
    await expect(ids('stock:>0) || (brand:=Zeus')).rejects.toThrow(Errors.RequestMalformed);
    const past = Math.floor(Date.now() / 1000) - 60;
    await expect(scoped({ expires_at: past }).search({ q: '*' })).rejects.toThrow(Errors.RequestUnauthorized);
    await expect(scoped({}).create(lamp)).rejects.toThrow(Errors.RequestUnauthorized);
    const forged = target.client.keys().generateScopedSearchKey(`${parent.value?.slice(0, 4)}xxxx`, {});
    await expect(target.clientFor(forged).collections(name).documents().search({ q: '*' })).rejects.toThrow(
      Errors.RequestUnauthorized,
    );
    const broad = await target.client
      .keys()
      .create({ description: 'all', actions: ['*'], collections: ['*'] });
    const ofBroad = target.client.keys().generateScopedSearchKey(broad.value ?? '', {});
    await expect(target.clientFor(ofBroad).collections(name).documents().search({ q: '*' })).rejects.toThrow(
      Errors.RequestUnauthorized,
    );
    await target.client.keys(broad.id).delete();
    await target.client.keys(parent.id).delete();
  });
});

describe.skipIf(!hasOpenapi)(
  'answers have the shapes of the published description (skipped without it)',
  () => {
    it('for collections, aliases, keys, health and figures', async () => {
      const name = await newCollection('shapes');
      const alias = target.name('shapes_alias');
      const key = await target.client
        .keys()
        .create({ description: 'shape', actions: ['documents:get'], collections: [name] });
      const aliased = await target.client.aliases().upsert(alias, { collection_name: name });
      const get = async (path: string): Promise<unknown> =>
        (await fetch(target.url + path, { headers: { 'x-typesense-api-key': target.apiKey } })).json();
      const faults = [
        ...schemaFaults('CollectionResponse', await get(`/collections/${name}`)),
        ...answerFaults({ path: '/collections', method: 'get', status: 200 }, await get('/collections')),
        ...schemaFaults('CollectionAlias', aliased),
        ...schemaFaults('CollectionAliasesResponse', await get('/aliases')),
        ...schemaFaults('ApiKey', key),
        ...schemaFaults('ApiKey', await get(`/keys/${key.id}`)),
        ...schemaFaults('ApiKeysResponse', await get('/keys')),
        ...schemaFaults('ApiKeyDeleteResponse', await target.client.keys(key.id).delete()),
        ...schemaFaults('ApiResponse', await get('/collections/none')),
        ...schemaFaults('HealthStatus', await get('/health')),
        ...schemaFaults('APIStatsResponse', await get('/stats.json')),
        ...answerFaults({ path: '/debug', method: 'get', status: 200 }, await get('/debug')),
      ];
      expect(faults).toEqual([]);
    });

    it('and the check itself finds what does not fit', () => {
      expect(schemaFaults('CollectionAlias', { name: 1 })).toEqual([
        'CollectionAlias: collection_name is missing',
        'CollectionAlias.name: 1 is not of type string',
      ]);
    });
  },
);
