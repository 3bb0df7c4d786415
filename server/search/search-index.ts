// The collections of products in the search service, and the two aliases that give them their parts: `products` is the
// one that is searched, `products-next` the one that a reindex is filling. What always holds: every write of an
// indexer goes to both, so the next one never misses a change, and takes the other's place between two searches.
import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { type Client, Errors } from 'typesense';
import { z } from 'zod';
import { limits } from '../limits.ts';
import { productEntrySchema, productCollection, type ProductEntry, schemaVersion } from './product-entry.ts';
import { createTypesenseClient } from './typesense-client.ts';

export const productsAlias = 'products';
const nextAlias = 'products-next';

const collectionPrefix = 'products-v';
const collectionName = `${collectionPrefix}${schemaVersion}`;

export interface SearchIndex {
  /**
   * Makes collection and alias where they are missing. `new`: the index is empty; `outdated`: it has the fields of an
   * older version, and is to be rebuilt.
   */
  ensure(): Promise<'ready' | 'new' | 'outdated'>;
  /** The ids of the entries that the service refused, with its words. */
  put(entries: readonly ProductEntry[]): Promise<Map<string, string>>;
  drop(productIds: readonly string[]): Promise<void>;
  /** True where the service lost the collection or its alias. */
  isMissing(error: unknown): boolean;

  /** Makes an empty collection that every write goes to from now on, beside the searched one; answers its name. */
  beginNext(): Promise<string>;
  /** The collection that is being filled; null where there is none. */
  next(): Promise<string | null>;
  /** Puts what is not there yet: what an indexer wrote meanwhile is newer. Answers what was refused. */
  fillNext(collection: string, entries: readonly ProductEntry[]): Promise<Map<string, string>>;
  /** The next collection takes the place of the searched one. */
  swapIn(collection: string): Promise<void>;
  /** Gives up the collection that is being filled, if there is one. */
  abandonNext(): Promise<void>;
  /** Removes every collection of ours that neither is searched nor being filled; answers their names. */
  removeLeftovers(): Promise<string[]>;
  /** Every entry of the collection that is searched, or of the one named, in no order. */
  entries(collection?: string): AsyncIterable<ProductEntry>;
  /** Null where there is none. */
  entry(productId: string, collection?: string): Promise<ProductEntry | null>;
}

const importAnswerSchema = z.array(
  z.object({ success: z.boolean(), error: z.string().optional(), code: z.int().optional() }),
);
const alreadyThere = 409;

/** The service knows no collection to write to. */
class IndexMissing extends Error {}

export function createSearchIndex(options: { url: string; apiKey: string }): SearchIndex {
  const client = createTypesenseClient({ ...options, timeoutMs: limits.indexTimeoutMs, retriesCount: 0 });

  async function aliases(): Promise<{ searched: string | null; next: string | null }> {
    const { aliases: all } = await client.aliases().retrieve();
    const target = (name: string) => all.find(alias => alias.name === name)?.collection_name ?? null;
    return { searched: target(productsAlias), next: target(nextAlias) };
  }

  /** Where a change belongs. Read for each batch: it must not miss a collection that began to be filled before it. */
  async function targets(): Promise<{ searched: string; next: string | null }> {
    const { searched, next } = await aliases();
    if (searched === null) throw new IndexMissing('the alias of the products is missing');
    return { searched, next: next === searched ? null : next };
  }

  /** A collection that is being filled and is gone was never searched: its reindex finds out, and begins anew. */
  async function inNext(write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (!(error instanceof Errors.ObjectNotFound)) throw error;
    }
  }

  async function importInto(
    collection: string,
    entries: readonly ProductEntry[],
    action: 'upsert' | 'create',
  ): Promise<Map<string, string>> {
    if (entries.length === 0) return new Map();
    const answer = importAnswerSchema.parse(
      await client
        .collections<ProductEntry>(collection)
        .documents()
        .import([...entries], { action, throwOnFail: false }),
    );
    const refused = new Map<string, string>();
    for (const [index, entry] of entries.entries()) {
      const result = answer[index];
      if (result?.success || (action === 'create' && result?.code === alreadyThere)) continue;
      refused.set(entry.id, result?.error ?? 'no answer');
    }
    return refused;
  }

  async function dropFrom(collection: string, productIds: readonly string[]): Promise<void> {
    for (const productId of productIds) {
      try {
        await client.collections(collection).documents(productId).delete();
      } catch (error) {
        // One that is not there is as good as dropped; a collection that is not there is another matter.
        const isGone = error instanceof Errors.ObjectNotFound && !/collection/i.test(error.message);
        if (!isGone) throw error;
      }
    }
  }

  return {
    async ensure() {
      const { searched } = await aliases();
      const isNew = await createIfMissing(client, searched ?? collectionName);
      if (searched === null)
        await client.aliases().upsert(productsAlias, { collection_name: collectionName });
      if (isNew) return 'new';
      return isOfThisVersion(searched ?? collectionName) ? 'ready' : 'outdated';
    },

    async put(entries) {
      const { searched, next } = await targets();
      const refused = await importInto(searched, entries, 'upsert');
      if (next !== null) {
        await inNext(async () => {
          for (const [id, error] of await importInto(next, entries, 'upsert')) refused.set(id, error);
        });
      }
      return refused;
    },

    async drop(productIds) {
      if (productIds.length === 0) return;
      const { searched, next } = await targets();
      await dropFrom(searched, productIds);
      if (next !== null) await inNext(() => dropFrom(next, productIds));
    },

    isMissing: error => error instanceof Errors.ObjectNotFound || error instanceof IndexMissing,

    async beginNext() {
      const name = `${collectionName}-${Date.now().toString(36)}${randomBytes(3).toString('hex')}`;
      await createIfMissing(client, name);
      await client.aliases().upsert(nextAlias, { collection_name: name });
      return name;
    },

    async next() {
      const { searched, next } = await aliases();
      return next === null || next === searched || !(await client.collections(next).exists()) ? null : next;
    },

    fillNext: (collection, entries) => importInto(collection, entries, 'create'),

    async swapIn(collection) {
      // In this order a kill between the two leaves a name too many, and never a change without a place.
      await client.aliases().upsert(productsAlias, { collection_name: collection });
      await client.aliases(nextAlias).delete();
    },

    async abandonNext() {
      if ((await aliases()).next !== null) await client.aliases(nextAlias).delete();
    },

    async removeLeftovers() {
      const { searched, next } = await aliases();
      if (next !== null && next === searched) await client.aliases(nextAlias).delete();
      const all = await client.collections().retrieve({ exclude_fields: 'fields' });
      const left = all
        .map(({ name }) => name)
        .filter(name => name.startsWith(collectionPrefix) && name !== searched && name !== next);
      for (const name of left) await client.collections(name).delete();
      return left;
    },

    async entry(productId, collection = productsAlias) {
      try {
        return productEntrySchema.parse(await client.collections(collection).documents(productId).retrieve());
      } catch (error) {
        if (error instanceof Errors.ObjectNotFound) return null;
        throw error;
      }
    },

    async *entries(collection = productsAlias) {
      // Read line by line from the answer's stream: the client's own export holds all of it in memory.
      const response = await fetch(
        `${options.url.replace(/\/$/, '')}/collections/${encodeURIComponent(collection)}/documents/export`,
        { headers: { 'x-typesense-api-key': options.apiKey } },
      );
      if (!response.ok || !response.body) {
        throw new Error(`the search service answered ${response.status} when asked for what it holds`);
      }
      for await (const line of createInterface({ input: Readable.from(response.body) })) {
        if (line !== '') yield productEntrySchema.parse(JSON.parse(line));
      }
    },
  };
}

function isOfThisVersion(name: string): boolean {
  return name === collectionName || name.startsWith(`${collectionName}-`);
}

async function createIfMissing(client: Client, name: string): Promise<boolean> {
  if (await client.collections(name).exists()) return false;
  try {
    await client.collections().create({ ...productCollection, name });
    return true;
  } catch (error) {
    // Another process was faster; then it is that one's to fill.
    if (error instanceof Errors.ObjectAlreadyExists) return false;
    throw error;
  }
}
