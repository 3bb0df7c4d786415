// Products as all processes remember them together, in Redis, between what each has in its own memory and MongoDB. Who
// finds nothing there leaves a lease in its place, reads MongoDB, and may fill in what it read only while the lease is
// still there: a change takes product or lease away, so that a read which began before the change can never be
// remembered after it (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1). Who finds another's
// lease waits for its product, so that a crowd of processes reads MongoDB once. Where this Redis is away, everybody
// reads MongoDB.
import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { LRUCache } from 'lru-cache';
import type { ProductId } from '../ids.ts';
import { limits } from '../limits.ts';
import { sharedProductKey } from '../platform/keys.ts';
import { type Product, productSchema } from './product.ts';

export interface SharedProducts {
  /** The product, from here or by `read`; null where there is none, which is remembered, too. */
  get(productId: ProductId, read: () => Promise<Product | null>): Promise<Product | null>;
  /** Resolves when nobody can find the old ones here any more; rejects where that cannot be known. */
  forget(productIds: readonly ProductId[]): Promise<void>;
}

/** KEYS: the product. ARGV: the lease, the product, milliseconds to live. Fills in only where the lease still is. */
const fill = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`;

const leasePrefix = 'lease:';
const entrySchema = productSchema.nullable();

type Found =
  | { kind: 'product'; product: Product | null }
  | { kind: 'lease'; lease: string }
  | { kind: 'leased' | 'nothing' };

export function createSharedProducts(deps: {
  redis: Redis;
  /** Told of each that was found here. */
  onHit?: () => void;
  /** Milliseconds of a clock that never steps. */
  now?: () => number;
}): SharedProducts {
  const { redis, onHit = () => undefined, now = () => performance.now() } = deps;
  let awayUntilMs = Number.NEGATIVE_INFINITY;
  /** What could not be forgotten is not believed until it has ended by time. */
  const doubted = new LRUCache<ProductId, true>({
    max: limits.productCacheCount,
    ttl: limits.sharedProductTtlMs,
  });

  /** A Redis that does not answer at once is not waited for: MongoDB is asked, and it is left alone for a while. */
  async function inTime<T>(command: Promise<T>): Promise<T> {
    const given = new AbortController();
    try {
      return await Promise.race([
        command,
        pause(limits.sharedProductWaitMs, undefined, { signal: given.signal }).then(() => {
          throw new Error('the Redis of the shared products does not answer');
        }),
      ]);
    } catch (error) {
      awayUntilMs = now() + limits.sharedProductPauseMs;
      throw error;
    } finally {
      given.abort();
    }
  }

  async function look(productId: ProductId): Promise<Found> {
    if (now() < awayUntilMs || doubted.has(productId)) return { kind: 'nothing' };
    const lease = leasePrefix + randomUUID();
    const key = sharedProductKey(productId);
    try {
      return foundOf(await inTime(redis.set(key, lease, 'PX', limits.sharedLeaseMs, 'NX', 'GET')), lease);
    } catch {
      return { kind: 'nothing' };
    }
  }

  /** Another is reading it: within a moment it is there, or it was changed meanwhile. */
  async function lookAgain(productId: ProductId): Promise<Found> {
    const endsAtMs = now() + limits.sharedLeaseWaitMs;
    while (now() < endsAtMs) {
      await pause(limits.sharedLeaseLookMs);
      const found = await look(productId);
      if (found.kind !== 'leased') return found;
    }
    return { kind: 'nothing' };
  }

  return {
    async get(productId, read) {
      let found = await look(productId);
      if (found.kind === 'leased') found = await lookAgain(productId);
      if (found.kind === 'product') {
        onHit();
        return found.product;
      }
      const product = await read();
      if (found.kind === 'lease') {
        const args = [found.lease, JSON.stringify(product), limits.sharedProductTtlMs];
        await inTime(redis.eval(fill, 1, sharedProductKey(productId), ...args)).catch(() => undefined);
      }
      return product;
    },

    async forget(productIds) {
      // One key to a command: in a cluster they lie apart.
      const forgetting = productIds.map(async productId => {
        try {
          await inTime(redis.del(sharedProductKey(productId)));
        } catch (error) {
          doubted.set(productId, true);
          throw error;
        }
      });
      const failed = (await Promise.allSettled(forgetting)).find(({ status }) => status === 'rejected');
      if (failed?.status === 'rejected') throw failed.reason;
    },
  };
}

function foundOf(text: string | null, lease: string): Found {
  if (text === null) return { kind: 'lease', lease };
  if (text.startsWith(leasePrefix)) return { kind: 'leased' };
  const entry = entrySchema.safeParse(readJson(text));
  // What another version of the engine left there is nothing to this one.
  return entry.success ? { kind: 'product', product: entry.data } : { kind: 'nothing' };
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
