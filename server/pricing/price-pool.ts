// The threads that price carts. Carts that arrive in one turn of the event loop travel together; what waits is
// bounded, and beyond the bound the answer is `busy` at once instead of a queue that nobody outlives.
//
// Only as many batches are out as keep the threads busy. The rest waits here, not in the threads' own queue: so who has
// gone is let go without being priced, and what waits longer travels in larger batches.
import { availableParallelism } from 'node:os';
import { Piscina } from 'piscina';
import { limits } from '../limits.ts';
import type { RepriceTask } from '../../workers/price-cart.ts';
import type { Cart, CartPrice } from './cart.rules.ts';
import type { PriceChange } from './reprice.rules.ts';

export interface PricePool {
  /** A cart whose caller has gone before it was with a thread is let go as `busy`: nobody reads the answer. */
  price(cart: Cart, signal?: AbortSignal): Promise<CartPrice | { kind: 'busy' }>;
  /**
   * A whole price list, block by block, behind the carts that wait. `amounts` is left as it is. The signal ends it between
   * two blocks; `onProgress` is told how many are done after each.
   */
  reprice(
    amounts: Float64Array,
    change: PriceChange,
    options?: { signal?: AbortSignal; onProgress?: (doneCount: number) => void },
  ): Promise<Float64Array>;
  /** Carts that wait for a thread or are with one. */
  waitingCount(): number;
  /** Batches sent to a thread so far. */
  batchesCount(): number;
  /** Finishes what was accepted; whatever comes later is told `busy`. */
  close(): Promise<void>;
}

interface WaitingCart {
  readonly cart: Cart;
  readonly resolve: (price: CartPrice | { kind: 'busy' }) => void;
  readonly reject: (error: unknown) => void;
  readonly signal: AbortSignal | undefined;
}

/** One that is being priced, and one that is there when it is done. */
const batchesPerThread = 2;

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
  const keepsCompiled = process.env['NODE_COMPILE_CACHE'];
  const threads = new Piscina<string | RepriceTask, string | Float64Array>({
    filename: new URL('../../workers/price-cart.ts', import.meta.url).href,
    minThreads: threadsCount,
    maxThreads: threadsCount,
    // The threads run the same Node with the same flags, but know none of the process's secrets: of its settings only
    // where compiled code is kept, which halves the time until a thread can work.
    env: keepsCompiled ? { NODE_COMPILE_CACHE: keepsCompiled } : {},
  });
  let waiting: WaitingCart[] = [];
  let acceptedCount = 0;
  let outCount = 0;
  let sentCount = 0;
  let isDue = false;
  let closed = false;
  let whenIdle = () => {};

  async function send(batch: readonly WaitingCart[]): Promise<void> {
    sentCount += 1;
    outCount += 1;
    try {
      const text = await threads.run(JSON.stringify(batch.map(({ cart }) => cart)));
      const prices: CartPrice[] = typeof text === 'string' ? JSON.parse(text) : [];
      for (const [index, { resolve, reject }] of batch.entries()) {
        const price = prices[index];
        if (price) resolve(price);
        else reject(new Error('a pricing thread answered with fewer prices than carts'));
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      outCount -= 1;
      acceptedCount -= batch.length;
      sendDue();
      if (acceptedCount === 0) whenIdle();
    }
  }

  function sendDue(): void {
    isDue = false;
    const staying = waiting.filter(({ signal, resolve }) => {
      if (!signal?.aborted) return true;
      resolve({ kind: 'busy' });
      acceptedCount -= 1;
      return false;
    });
    let from = 0;
    while (from < staying.length && outCount < threadsCount * batchesPerThread) {
      void send(staying.slice(from, from + batchCount));
      from += batchCount;
    }
    waiting = staying.slice(from);
  }

  return {
    price(cart, signal) {
      if (closed || acceptedCount >= queueCount) return Promise.resolve({ kind: 'busy' });
      acceptedCount += 1;
      return new Promise((resolve, reject) => {
        waiting.push({ cart, resolve, reject, signal });
        if (isDue) return;
        isDue = true;
        // After the poll phase every request that this turn brought has been read.
        setImmediate(sendDue);
      });
    },
    async reprice(amounts, change, { signal, onProgress } = {}) {
      const changed = new Float64Array(amounts.length);
      for (let from = 0; from < amounts.length; from += limits.repriceBlockCount) {
        signal?.throwIfAborted();
        const block = amounts.slice(from, from + limits.repriceBlockCount);
        const done = await threads.run(
          { amounts: block, change },
          { name: 'reprice', transferList: [block.buffer] },
        );
        if (!(done instanceof Float64Array)) throw new Error('a pricing thread answered with no price list');
        changed.set(done, from);
        onProgress?.(from + done.length);
      }
      return changed;
    },
    waitingCount: () => acceptedCount,
    batchesCount: () => sentCount,
    async close() {
      closed = true;
      sendDue();
      if (acceptedCount > 0) {
        await new Promise<void>(resolve => {
          whenIdle = resolve;
        });
      }
      await threads.close();
    },
  };
}
