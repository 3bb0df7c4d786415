// A drop in a real Redis from which nobody is turned away, and buyers who may place one hold each in it.
import { randomBytes, randomUUID } from 'node:crypto';
import { sessionTokenSchema } from '../../server/buyers/authenticate.ts';
import type { Drop } from '../../server/drops/drop.ts';
import { createLiveStore } from '../../server/drops/live.store.ts';
import { dropIdSchema, newBuyerId, skuSchema } from '../../server/ids.ts';
import { GatheredRedis } from '../../server/platform/gathered-redis.ts';
import { createLuaRunner } from '../../server/platform/lua-scripts.ts';
import { createSealer } from '../../server/platform/seal.ts';
import { quoteSchema, type Quote } from '../../server/pricing/quote.ts';
import { createQueueStore } from '../../server/queue/queue.store.ts';
import { passSchema } from '../../server/queue/tickets.ts';
import { dropOf } from '../../test/support/engine.ts';
import type { OneCall } from './load.ts';

const hourMs = 3_600_000;
const inFlightCount = 500;

export function newBenchDrop(): Drop {
  return dropOf({
    dropId: dropIdSchema.parse(`bench-${randomBytes(6).toString('hex')}`),
    items: [
      {
        sku: skuSchema.parse('sku-a'),
        title: 'A pair of shoes, white',
        price: { amount: 12_900, currency: 'EUR' },
        total: 1_000_000_000,
        withdrawn: 0,
      },
    ],
    ratePerSec: 1_000_000,
    activeMax: 1_000_000_000,
    callWindowMs: hourMs,
    passTtlMs: hourMs,
    holdTtlMs: hourMs,
  });
}

export function openBenchDrops(redisUrl: string) {
  const redis = new GatheredRedis(redisUrl);
  const run = createLuaRunner(redis, { clock: 'redis' });
  const live = createLiveStore({ redis, run });
  const queue = createQueueStore(run);
  return {
    redis,
    run,
    async open(drop: Drop): Promise<void> {
      await live.load(drop);
      await live.open(drop.dropId, '');
    },
    /** Complete `hold.place` calls, each of another buyer, who has been through the queue and has quote and session. */
    async placeCalls(drop: Drop, options: { count: number; secret: string }): Promise<OneCall[]> {
      const secrets = [options.secret];
      const sessions = createSealer({ kind: 'session', secrets, schema: sessionTokenSchema });
      const passes = createSealer({ kind: 'pass', secrets, schema: passSchema });
      const quotes = createSealer({ kind: 'quote', secrets, schema: quoteSchema });
      const { dropId } = drop;
      const buyers = await inTurns(options.count, async () => {
        const buyerId = newBuyerId();
        const joined = await queue.join(dropId, buyerId);
        if (joined.kind !== 'joined') throw new Error(`a buyer could not join: ${joined.kind}`);
        return { buyerId, arrival: joined.arrival };
      });
      for (let calledCount = 0; calledCount < options.count; ) {
        const proposal = await queue.admit(dropId);
        // The token bucket fills by itself.
        if (proposal.kind === 'idle') continue;
        await queue.call(dropId, proposal.call.seq);
        calledCount = proposal.call.to;
      }
      return inTurns(options.count, async index => {
        const buyer = buyers[index];
        if (!buyer) throw new Error('there is a buyer for each call');
        const { buyerId, arrival } = buyer;
        const claim = await queue.claim(dropId, buyerId, { lane: 'general', arrival, rank: arrival });
        if (claim.kind !== 'called') throw new Error(`a buyer could not claim: ${claim.kind}`);
        const { expiresAtMs } = claim;
        const holdId = randomUUID();
        const body = {
          holdId,
          pass: passes.seal({ dropId, buyerId: buyer.buyerId, expiresAtMs }),
          quote: quotes.seal({ ...quoteOf(drop), buyerId: buyer.buyerId }),
        };
        const token = sessions.seal({ buyerId: buyer.buyerId, expiresAtMs });
        const held = `{"result":{"data":{"kind":"held","holdId":"${holdId}",`;
        return {
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify(body),
          isRight: (status: number, answer: string) => status === 200 && answer.startsWith(held),
        };
      });
    },
    async close(): Promise<void> {
      await redis.quit();
    },
  };
}

export function quoteOf(drop: Drop): Quote {
  const [item] = drop.items;
  if (!item) throw new Error('the drop has an item');
  const { amount, currency } = item.price;
  return {
    dropId: drop.dropId,
    buyerId: newBuyerId(),
    lines: [{ sku: item.sku, title: item.title, quantity: 1, unitAmount: amount, totalAmount: amount }],
    currency,
    subtotalAmount: amount,
    discountAmount: 0,
    shippingAmount: 490,
    taxAmount: 2_138,
    taxIncluded: true,
    totalAmount: amount + 490,
    shipping: 'standard',
    destination: { country: 'DE', postcode: '10115' },
    expiresAtMs: Date.now() + hourMs,
  };
}

/** Does something `count` times, some hundreds at once, so that a pipeline fills and memory does not. */
export async function inTurns<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  for (let start = 0; start < count; start += inFlightCount) {
    const size = Math.min(inFlightCount, count - start);
    results.push(...(await Promise.all(Array.from({ length: size }, (_, index) => work(start + index)))));
  }
  return results;
}
