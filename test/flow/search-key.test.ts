import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createGiveSearchKey, type SearchKey } from '../../server/search/search-key.ts';
import { createSearchIndex, productsAlias } from '../../server/search/search-index.ts';
import { type EmbeddedTypesense, startEmbeddedTypesense } from '../support/embedded-typesense.ts';

let typesense: EmbeddedTypesense;
beforeAll(async () => {
  typesense = await startEmbeddedTypesense();
  await createSearchIndex(typesense).ensure();
});
afterAll(() => typesense.stop());

const publicUrl = 'https://search.example.com';
const give = (nowMs = Date.now()): Promise<SearchKey> =>
  createGiveSearchKey({ typesense, publicUrl, clock: { now: () => nowMs } })();

async function keyOf(nowMs?: number): Promise<string> {
  const given = await give(nowMs);
  if (given.kind !== 'key') throw new Error(`no key was given: ${given.kind}`);
  return given.key;
}

/** The status of a request with the key, as a browser makes it. */
async function statusOf(key: string, where: string, init: RequestInit = {}): Promise<number> {
  const headers = { 'x-typesense-api-key': key, origin: 'https://shop.example.com' };
  return (await fetch(`${typesense.url}${where}`, { ...init, headers })).status;
}
const search = `/collections/${productsAlias}/documents/search?q=*`;

describe('a key for browsers', () => {
  test('searches the products, until its end', async () => {
    const given = await give();
    expect(given).toMatchObject({ kind: 'key', url: publicUrl, collection: productsAlias });
    expect(given).toHaveProperty('expiresAtMs', expect.any(Number));
    expect(await statusOf(await keyOf(), search)).toBe(200);
    expect(await statusOf(await keyOf(Date.now() - 3 * 24 * 3_600_000), search)).toBe(401);
  });

  test('does nothing else, and is not the admin key', async () => {
    const key = await keyOf();
    expect(key).not.toContain(typesense.apiKey);
    expect(Buffer.from(key, 'base64').toString()).not.toContain(typesense.apiKey);
    const body = '{"id":"x","title":"x"}';
    for (const [where, init] of [
      ['/keys', {}],
      ['/collections', {}],
      ['/aliases', {}],
      [`/collections/${productsAlias}/documents/export`, {}],
      [`/collections/${productsAlias}/documents`, { method: 'POST', body }],
      [`/collections/${productsAlias}`, { method: 'DELETE' }],
      ['/collections/others/documents/search?q=*', {}],
    ] as const) {
      expect([where, await statusOf(key, where, init)]).toEqual([where, 401]);
    }
  });

  test('is the same signer’s in every process, which knows no other collection by name', async () => {
    await give();
    await give();
    const listed = await fetch(`${typesense.url}/keys`, {
      headers: { 'x-typesense-api-key': typesense.apiKey },
    });
    const { keys } = JSON.parse(await listed.text());
    const today = keys.filter((each: { expires_at: number }) => each.expires_at * 1000 > Date.now());
    expect(today).toHaveLength(1);
    expect(today[0]).toMatchObject({ actions: ['documents:search'], collections: [productsAlias] });
  });

  test('cannot be widened: its parameters are signed', async () => {
    const text = Buffer.from(await keyOf(), 'base64').toString('utf8');
    const widened = Buffer.from(text.replace('"limit_hits":2000', '"limit_hits":9999')).toString('base64');
    expect(await statusOf(widened, search)).toBe(401);
    const beyond = `${search}&per_page=250&page=9&limit_hits=100000`;
    expect(await statusOf(await keyOf(), beyond)).toBe(422);
  });

  test('is given to nobody where the shop has no address for it, or its search service is away', async () => {
    const clock = { now: Date.now };
    expect(await createGiveSearchKey({ typesense, publicUrl: null, clock })()).toEqual({
      kind: 'not-offered',
    });
    const away = { ...typesense, url: 'http://127.0.0.1:9' };
    expect(await createGiveSearchKey({ typesense: away, publicUrl, clock })()).toEqual({
      kind: 'unavailable',
    });
  });
});
