// Keys for browsers that ask the search service themselves. What is given out is only ever a scoped key: a signature
// by a key that can search the products and nothing else, over parameters that its holder cannot change, with an end.
// The signing key never leaves the engine; it is derived from the admin key and the day, so every process has the same.
import { createHmac } from 'node:crypto';
import { Errors } from 'typesense';
import { limits } from '../limits.ts';
import { productsAlias } from './search-index.ts';
import { createTypesenseClient } from './typesense-client.ts';

export type SearchKey =
  | { kind: 'key'; key: string; url: string; collection: string; expiresAtMs: number }
  /** This shop lets nobody ask its search service directly. */
  | { kind: 'not-offered' }
  | { kind: 'unavailable' };

export type GiveSearchKey = () => Promise<SearchKey>;

const dayMs = 24 * 3_600_000;

export function createGiveSearchKey(deps: {
  typesense: { url: string; apiKey: string };
  /** Where browsers reach the search service; null where they shall not. */
  publicUrl: string | null;
  clock: { now(): number };
}): GiveSearchKey {
  const { typesense, publicUrl, clock } = deps;
  const client = createTypesenseClient({ ...typesense, timeoutMs: limits.searchTimeoutMs, retriesCount: 0 });
  let parent: { day: number; made: Promise<string> } | undefined;

  async function makeParent(day: number): Promise<string> {
    const value = createHmac('sha256', typesense.apiKey)
      .update(`search only, day ${day}`)
      .digest('base64url');
    try {
      await client.keys().create({
        description: 'doorbuster: signs scoped keys for browsers',
        actions: ['documents:search'],
        collections: [productsAlias],
        value,
        // Outlives every key that it signs on its last moment.
        expires_at: Math.ceil(((day + 1) * dayMs + limits.searchKeyTtlMs) / 1000) + 60,
        autodelete: true,
      });
    } catch (error) {
      // Another process has made it already.
      if (!(error instanceof Errors.ObjectAlreadyExists)) throw error;
    }
    return value;
  }

  return async () => {
    if (publicUrl === null) return { kind: 'not-offered' };
    const nowMs = clock.now();
    const day = Math.floor(nowMs / dayMs);
    if (parent?.day !== day) parent = { day, made: makeParent(day) };
    const { made } = parent;
    let signer: string;
    try {
      signer = await made;
    } catch {
      // Tried again with the next question; search itself says that its service is away.
      if (parent?.made === made) parent = undefined;
      return { kind: 'unavailable' };
    }
    const expiresAtSec = Math.floor((nowMs + limits.searchKeyTtlMs) / 1000);
    const key = client.keys().generateScopedSearchKey(signer, {
      expires_at: expiresAtSec,
      limit_hits: limits.searchDepthCount,
      exclude_fields: 'skus,barcodes,alsoFoundBy',
    });
    return { kind: 'key', key, url: publicUrl, collection: productsAlias, expiresAtMs: expiresAtSec * 1000 };
  };
}
