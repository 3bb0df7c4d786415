/**
 * What only the embedded search server promises: it survives being killed, refuses what it cannot do, keeps facets and
 * words right through any sequence of writes, and ends when it is told to.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { Client } from 'typesense';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CollectionRegistry } from '../../server/embedded/typesense/collection-registry.ts';
import { openDatabase } from '../../server/embedded/typesense/database.ts';
import { search } from '../../server/embedded/typesense/search.ts';
import { parseSearchParameters } from '../../server/embedded/typesense/search-parameters.ts';
import { startEmbeddedTypesense, type EmbeddedTypesense } from '../support/embedded-typesense.ts';

type Item = { id: string; name: string; brand: string; tags: string[]; price: number };

const clientOf = (server: EmbeddedTypesense): Client =>
  new Client({
    nodes: [{ host: server.host, port: server.port, protocol: 'http' }],
    apiKey: server.apiKey,
    numRetries: 0,
    connectionTimeoutSeconds: 10,
    logLevel: 'silent',
  });

const schema = (name: string) => ({
  name,
  fields: [
    { name: 'name', type: 'string' as const },
    { name: 'brand', type: 'string' as const, facet: true },
    { name: 'tags', type: 'string[]' as const, facet: true },
    { name: 'price', type: 'float' as const, facet: true },
  ],
  default_sorting_field: 'price',
});

const itemOf = (id: string): Item => ({ id, name: `thing ${id}`, brand: 'Acme', tags: ['x'], price: 1 });

describe('a server that is killed', () => {
  it('knows after a restart, on the same port, everything that it acknowledged', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-typesense-kill-'));
    try {
      const first = await startEmbeddedTypesense({ dataDir });
      const client = clientOf(first);
      await client.collections().create(schema('things'));
      await client.aliases().upsert('alias', { collection_name: 'things' });
      const key = await client
        .keys()
        .create({ description: 'k', actions: ['documents:search'], collections: ['.*'] });
      const acknowledged = new Set<string>();
      const write = async (writer: number): Promise<void> => {
        for (let n = 0; ; n++) {
          const id = `${writer}-${n}`;
          try {
            await client.collections<Item>('things').documents().upsert(itemOf(id));
          } catch {
            return;
          }
          acknowledged.add(id);
        }
      };
      const writers = Array.from({ length: 8 }, (_, writer) => write(writer));
      await expect.poll(() => acknowledged.size, { timeout: 20_000 }).toBeGreaterThan(200);
      await first.kill();
      await Promise.all(writers);

      const second = await startEmbeddedTypesense({ dataDir, port: first.port });
      const again = clientOf(second).collections<Item>('alias').documents();
      const stored = new Set((await again.export({ include_fields: 'id' })).split('\n').map(idOf));
      expect([...acknowledged].filter(id => !stored.has(id))).toEqual([]);
      // The index was made anew from what is stored, and knows the same documents.
      const found = await again.search({ q: 'thing', query_by: 'name', facet_by: 'brand', per_page: 0 });
      expect(found).toMatchObject({ found: stored.size, out_of: stored.size });
      expect(found.facet_counts?.[0]?.counts[0]?.count).toBe(stored.size);
      const holder = new Client({
        nodes: [{ host: second.host, port: second.port, protocol: 'http' }],
        apiKey: key.value ?? '',
      });
      expect((await holder.collections<Item>('things').documents().search({ q: '*' })).found).toBe(
        stored.size,
      );
      await second.stop();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

const idOf = (line: string): string => /"id":"([^"]+)"/.exec(line)?.[1] ?? '';

describe('a running server', () => {
  let server: EmbeddedTypesense;
  let client: Client;
  beforeAll(async () => {
    server = await startEmbeddedTypesense();
    client = clientOf(server);
    await client.collections().create(schema('things'));
    await client.collections<Item>('things').documents().create(itemOf('1'));
  });
  afterAll(() => server.stop());

  const call = async (
    method: string,
    where: string,
    body?: unknown,
  ): Promise<{ status: number; json: unknown }> => {
    const answer = await fetch(server.url + where, {
      method,
      headers: { 'x-typesense-api-key': server.apiKey },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: answer.status, json: await answer.json() };
  };

  it.each([
    ['an unknown search parameter', 'GET', '/collections/things/documents/search?q=*&colour=red', 400],
    ['grouping', 'GET', '/collections/things/documents/search?q=*&group_by=brand', 400],
    ['vectors', 'GET', '/collections/things/documents/search?q=*&vector_query=a', 400],
    ['infix search', 'GET', '/collections/things/documents/search?q=*&infix=always', 400],
    ['a computed order', 'GET', '/collections/things/documents/search?q=*&sort_by=_eval(price:>1):desc', 400],
    ['facet ranges', 'GET', '/collections/things/documents/search?q=*&facet_by=price(low:[0,1])', 400],
    ['synonyms', 'PUT', '/synonym_sets/a', 501],
    ['presets', 'GET', '/presets', 501],
    ['snapshots', 'POST', '/operations/snapshot', 501],
    ['synonyms of a collection', 'GET', '/collections/things/synonyms', 501],
    ['a path that is none', 'GET', '/nothing', 404],
    ['a method that is none', 'PUT', '/collections', 404],
  ])('refuses %s and says so', async (_, method, where, status) => {
    const answer = await call(method, where);
    expect(answer.status).toBe(status);
    expect(answer.json).toHaveProperty('message');
  });

  it.each([
    ['geopoint', { type: 'geopoint' }],
    ['object', { type: 'object' }],
    ['auto', { type: 'auto' }],
    ['embedding', { type: 'float[]', embed: { from: ['name'] } }],
    ['stemming', { type: 'string', stem: true }],
    ['infix', { type: 'string', infix: true }],
    ['reference', { type: 'string', reference: 'things.id' }],
  ])('refuses a field with %s and makes no collection', async (what, field) => {
    const answer = await call('POST', '/collections', {
      name: `bad_${what}`,
      fields: [{ name: 'x', ...field }],
    });
    expect(answer.status).toBe(400);
    expect(JSON.stringify(answer.json)).toContain('not supported');
    expect((await call('GET', `/collections/bad_${what}`)).status).toBe(404);
  });

  it.each(['', '{', '[]', '7', 'null', '"a"', '{"id":1}'])('refuses %j as a document', async body => {
    expect((await call('POST', '/collections/things/documents', body)).status).toBe(400);
  });

  it('keeps prototypes intact', async () => {
    const body = '{"id":"p","name":"p","brand":"b","tags":[],"price":1,"__proto__":{"hacked":true}}';
    expect((await call('POST', '/collections/things/documents', body)).status).toBe(201);
    await call('GET', '/collections/things/documents/search?q=*&__proto__=x');
    await call('POST', '/multi_search', '{"searches":[{"collection":"things","q":"*","__proto__":{"a":1}}]}');
    expect(Object.prototype).not.toHaveProperty('hacked');
    await call('DELETE', '/collections/things/documents/p');
  });

  it('tells nothing of its paths to who has no key', async () => {
    for (const where of ['/nothing', '/collections', '/debug', '/stats.json', '/multi_search']) {
      const method = where === '/multi_search' ? 'POST' : 'GET';
      const body = method === 'POST' ? { body: '{"searches":[{"collection":"things","q":"*"}]}' } : {};
      const { status } = await fetch(server.url + where, { method, ...body });
      expect({ where, status }).toEqual({ where, status: 401 });
    }
  });

  it('answers a search that was answered before from memory, and never after a write', async () => {
    const documents = client.collections<Item>('things').documents();
    const count = async (): Promise<number> =>
      (await documents.search({ q: 'fresh', query_by: 'name' })).found;
    expect(await count()).toBe(0);
    expect(await count()).toBe(0);
    await documents.create({ ...itemOf('fresh'), name: 'fresh' });
    expect(await count()).toBe(1);
    const change = client.collections<Partial<Item>>('things').documents();
    await change.update({ name: 'stale' }, { filter_by: 'id:=fresh' });
    expect(await count()).toBe(0);
    await client.collections<Item>('things').documents('fresh').delete();
  });

  it('corrects to words that are there, not to words that were', async () => {
    const documents = client.collections<Item>('things').documents();
    await documents.import([
      ...['v1', 'v2', 'v3'].map(id => ({ ...itemOf(id), name: 'wallet' })),
      { ...itemOf('v4'), name: 'ballet' },
    ]);
    const found = async (): Promise<string[]> => {
      const one = { q: 'mallet', query_by: 'name', max_candidates: 1, prefix: false };
      return ((await documents.search(one)).hits ?? []).map(hit => hit.document.id);
    };
    expect(await found()).toEqual(['v3', 'v2', 'v1']);
    await documents.delete({ filter_by: 'name:wallet' });
    expect(await found()).toEqual(['v4']);
    await documents.delete({ filter_by: 'name:ballet' });
  });

  it('answers other requests while a large import is worked off', async () => {
    await client.collections().create(schema('large'));
    const items = Array.from({ length: 20_000 }, (_, n) => itemOf(`${n}`));
    let isDone = false;
    const importing = client
      .collections<Item>('large')
      .documents()
      .import(items)
      .finally(() => {
        isDone = true;
      });
    await expect
      .poll(async () => (await client.collections('large').retrieve()).num_documents, {
        interval: 5,
        timeout: 20_000,
      })
      .toBeGreaterThan(0);
    const { found } = await client.collections<Item>('large').documents().search({ q: '*' });
    expect(isDone).toBe(false);
    expect(found).toBeLessThan(items.length);
    expect(await importing).toHaveLength(items.length);
    await client.collections('large').delete();
  });

  it('ends an import with 404 where its collection is deleted meanwhile', async () => {
    await client.collections().create(schema('doomed'));
    const items = Array.from({ length: 20_000 }, (_, n) => itemOf(`${n}`));
    const importing = client
      .collections<Item>('doomed')
      .documents()
      .import(items)
      .catch((error: unknown) => error);
    await expect
      .poll(async () => (await client.collections('doomed').retrieve()).num_documents, { interval: 2 })
      .toBeGreaterThan(0);
    await client.collections('doomed').delete();
    expect(await importing).toHaveProperty('httpStatus', 404);
  });

  it('refuses a body beyond its bound without reading it', async () => {
    const { hostname, port } = new URL(server.url);
    const sent = request({
      hostname,
      port,
      method: 'POST',
      path: '/collections/things/documents',
      headers: { 'x-typesense-api-key': server.apiKey, 'content-length': String(10 * 1024 * 1024 * 1024) },
    });
    sent.on('error', () => {});
    sent.write('{');
    const [answer] = await once(sent, 'response');
    expect(answer).toHaveProperty('statusCode', 413);
    sent.destroy();
  });
});

describe('any sequence of writes', () => {
  let server: EmbeddedTypesense;
  beforeAll(async () => {
    server = await startEmbeddedTypesense();
  });
  afterAll(() => server.stop());

  const id = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const content = fc.record({
    name: fc.constantFrom('red lamp', 'red chair', 'blue lamp', 'green', ''),
    brand: fc.constantFrom('Acme', 'Zeus', 'acme'),
    tags: fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 4 }),
    price: fc.constantFrom(0, 1, 2.5, -3),
  });
  const step = fc.oneof(
    fc.record({ kind: fc.constant('upsert' as const), id, content }),
    fc.record({ kind: fc.constant('price' as const), id, price: fc.constantFrom(7, 8) }),
    fc.record({ kind: fc.constant('delete' as const), id }),
    fc.record({ kind: fc.constant('deleteBrand' as const), brand: fc.constantFrom('Acme', 'Zeus') }),
  );

  it('leaves facets, filters and words as a plain list of the same documents has them', async () => {
    const client = clientOf(server);
    let round = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async steps => {
        const name = `model_${round++}`;
        await client.collections().create(schema(name));
        const documents = client.collections<Item>(name).documents();
        const model = new Map<string, Item>();
        const strict = { query_by: 'name', num_typos: 0, drop_tokens_threshold: 0 };
        for (const each of steps) {
          // Asked again and again, so that what is kept for these words must be given up with each write.
          for (const q of ['re', 'red', '"red lamp"']) await documents.search({ ...strict, q });
          if (each.kind === 'upsert') {
            model.set(each.id, { id: each.id, ...each.content });
            await documents.upsert({ id: each.id, ...each.content });
          } else if (each.kind === 'price') {
            const known = model.get(each.id);
            if (known !== undefined) {
              model.set(each.id, { ...known, price: each.price });
              await client.collections<Item>(name).documents(each.id).update({ price: each.price });
            }
          } else if (each.kind === 'delete') {
            if (model.delete(each.id)) await client.collections<Item>(name).documents(each.id).delete();
          } else {
            for (const [key, item] of model) {
              if (item.brand.toLowerCase() === each.brand.toLowerCase()) model.delete(key);
            }
            await documents.delete({ filter_by: `brand:=${each.brand}` });
          }
        }
        const items = [...model.values()];
        const all = await documents.search({ q: '*', facet_by: 'brand,tags,price', max_facet_values: 50 });
        const facets = (all.facet_counts ?? []).map(facet =>
          Object.fromEntries(facet.counts.map(({ value, count }) => [value, count])),
        );
        expect(all.found).toBe(items.length);
        expect(facets).toEqual([
          countsOf(items.map(item => item.brand)),
          countsOf(items.flatMap(item => [...new Set(item.tags)])),
          countsOf(items.map(item => String(item.price))),
        ]);
        const idsOf = async (q: string, filter_by: string, prefix = false): Promise<string[]> => {
          const found = await documents.search({ ...strict, q, filter_by, prefix });
          return (found.hits ?? []).map(hit => hit.document.id).toSorted();
        };
        const expected = (accepts: (item: Item) => boolean): string[] =>
          items
            .filter(accepts)
            .map(item => item.id)
            .toSorted();
        expect(await idsOf('re', '', true)).toEqual(expected(item => item.name.includes('red')));
        expect(await idsOf('red', '')).toEqual(expected(item => item.name.includes('red')));
        expect(await idsOf('lamp red', '')).toEqual(expected(item => item.name === 'red lamp'));
        expect(await idsOf('*', 'price:>1 && tags:=x')).toEqual(
          expected(item => item.price > 1 && item.tags.includes('x')),
        );
        expect(await idsOf('*', 'tags:!=[x,y]')).toEqual(
          expected(item => !item.tags.includes('x') && !item.tags.includes('y')),
        );
        await client.collections(name).delete();
      }),
      { numRuns: 25 },
    );
  });
});

function countsOf(values: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

describe('a full disk', () => {
  it('refuses the write and leaves everything else as it was, also in memory', () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-typesense-full-'));
    try {
      const db = openDatabase(dataDir);
      const registry = new CollectionRegistry(db);
      const collection = registry.create(schema('full'));
      // Two documents in one transaction, the second by far the larger: the first is indexed when the disk is full.
      const put = (id: string) =>
        collection.write(() => {
          for (const [name, byteCount] of [
            [id, 10],
            [`${id}b`, 20_000],
          ] as const) {
            const item = { ...itemOf(name), name: `${name} ${randomBytes(byteCount).toString('hex')}` };
            collection.put(item, { action: 'upsert', dirtyValues: 'reject' });
          }
        });
      put('first');
      const pages = Number(db.prepare('PRAGMA page_count').get()?.['page_count']);
      db.exec(`PRAGMA max_page_count = ${pages + 60}`);
      let stored = 1;
      const fill = (): void => {
        for (; stored < 1_000; stored++) put(`more${stored}`);
      };
      expect(fill).toThrow('OUT_OF_DISK');
      const found = (q: string): number =>
        search(collection, parseSearchParameters({ q, query_by: 'name', num_typos: 0, prefix: false })).found;
      expect(collection.index.documentCount).toBe(2 * stored);
      expect(found('*')).toBe(2 * stored);
      expect(found('first')).toBe(1);
      expect(found(`more${stored}`)).toBe(0);
      db.exec(`PRAGMA max_page_count = ${pages * 100}`);
      put(`more${stored}`);
      expect(found(`more${stored}`)).toBe(1);
      db.close();
    } finally {
      rmSync(dataDir, { recursive: true, force: true });
    }
  });
});

describe('the program', () => {
  it('ends with status 0 on SIGTERM, and its data is gone with the test', async () => {
    const server = await startEmbeddedTypesense();
    expect(existsSync(path.join(server.dataDir, 'search.sqlite'))).toBe(true);
    expect(await server.stop()).toBe(0);
    expect(existsSync(server.dataDir)).toBe(false);
  });

  it('ends when the process that started it is gone', async () => {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-typesense-parent-'));
    const program = path.resolve(import.meta.dirname, '../../server/embedded/typesense/main.ts');
    const child = spawn(process.execPath, [program, '--data', dataDir, '--parent'], {
      env: { ...process.env, STANDIN_TYPESENSE_KEY: 'k' },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const exited = once(child, 'exit');
    const [line] = await once(child.stdout, 'data');
    expect(String(line)).toMatch(/^\{"ready":true,"port":\d+\}\n$/);
    child.stdin.end();
    expect(await exited).toEqual([0, null]);
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('does not start without a key', async () => {
    const program = path.resolve(import.meta.dirname, '../../server/embedded/typesense/main.ts');
    const { STANDIN_TYPESENSE_KEY: _, ...env } = process.env;
    const child = spawn(process.execPath, [program, '--data', tmpdir()], { env, stdio: 'ignore' });
    expect(await once(child, 'exit')).toEqual([2, null]);
  });
});
