// The threads that price carts. Carts that arrive in one turn of the event loop travel together; what waits is
// bounded, and beyond the bound the answer is `busy` at once instead of a queue that nobody outlives.
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { limits } from '../limits.ts';
import type { Cart, CartPrice } from './cart.rules.ts';

export interface PricePool {
  price(cart: Cart): Promise<CartPrice | { kind: 'busy' }>;
  /** Carts that wait for a thread or are with one. */
  waitingCount(): number;
  /** Batches sent to a thread so far. */
  batchesCount(): number;
  /** Finishes what was accepted; whatever comes later is told `busy`. */
  close(): Promise<void>;
}

interface WaitingCart {
  readonly cart: Cart;
  readonly resolve: (price: CartPrice) => void;
  readonly reject: (error: unknown) => void;
}

/** A core is left to the event loop; a cart takes microseconds, so more than four threads would only sleep. */
export function pricingThreadsCount(coresCount = availableParallelism()): number {
  return Math.min(4, Math.max(1, coresCount - 1));
}

export function createPricePool(
  options: { threadsCount?: number; queueCount?: number; batchCount?: number } = {},
): PricePool {
  const {
    threadsCount = pricingThreadsCount(),
    queueCount = limits.priceQueueCount,
    batchCount = limits.priceBatchCount,
  } = options;
  const threads = new Piscina<readonly Cart[], CartPrice[]>({
    filename: new URL('../../workers/price-cart.ts', import.meta.url).href,
    minThreads: threadsCount,
    maxThreads: threadsCount,
    // The threads run the same Node with the same flags, but nothing of the process's secrets.
    env: {},
  });
  let waiting: WaitingCart[] = [];
  let acceptedCount = 0;
  let sentCount = 0;
  let closed = false;

  async function send(batch: readonly WaitingCart[]): Promise<void> {
    sentCount += 1;
    try {
      const prices = await threads.run(batch.map(({ cart }) => cart));
      for (const [index, { resolve, reject }] of batch.entries()) {
        const price = prices[index];
        if (price) resolve(price);
        else reject(new Error('a pricing thread answered with fewer prices than carts'));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      acceptedCount -= batch.length;
    }
  }

  function sendAll(): void {
    const due = waiting;
    waiting = [];
    for (let from = 0; from < due.length; from += batchCount) void send(due.slice(from, from + batchCount));
  }

  return {
    price(cart) {
      if (closed || acceptedCount >= queueCount) return Promise.resolve({ kind: 'busy' });
      acceptedCount += 1;
      return new Promise((resolve, reject) => {
        // After the poll phase every request that this turn brought has been read.
        if (waiting.length === 0) setImmediate(sendAll);
        waiting.push({ cart, resolve, reject });
      });
    },
    waitingCount: () => acceptedCount,
    batchesCount: () => sentCount,
    async close() {
      closed = true;
      sendAll();
      await threads.close();
    },
  };
}
