// Thirty-two clients, each on a connection of its own, hold and release units of the same few SKUs as fast as they can.
// What each was answered, and when it asked and knew, is all that is looked at.
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HoldsStore } from '../../server/inventory/holds.store.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';
import { newHoldId, openEngine, skuOf, type Engine } from '../support/engine.ts';
import { isLinearizable, type StockOperation } from '../support/linearizable-stock.ts';
import { createHoldsStore as createUnsafeStore } from '../support/unsafe-holds/unsafe-holds.store.ts';

const clientsCount = 32;
const skus = [skuOf('sku-a'), skuOf('sku-b')];
/** Enough that admission calls every client, too few for what they want. */
const totalOfSku = 14;

const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);

const anyWish = fc.record({ sku: fc.constantFrom(...skus), quantity: fc.integer({ min: 1, max: 3 }) });

let server: EmbeddedRedis;
let engines: Engine[];

beforeAll(async () => {
  server = await startEmbeddedRedis();
  engines = Array.from({ length: clientsCount }, () => openEngine(server.url));
});
afterAll(async () => {
  await Promise.all(engines.map(engine => engine.close()));
  await server.dispose();
});

describe('holds and releases of each SKU', () => {
  it('are linearizable over 32 clients × 1,000 operations', { timeout: 120_000 }, async () => {
    const { histories, drop, holdsLeft } = await record({ operationsCount: 1_000 });
    // A failing run is repeated with the seed that it names.
    const verdicts = [...histories].map(([sku, history]) => ({
      sku,
      seed,
      isLong: history.length > clientsCount * 400,
      wasShort: history.some(({ kind }) => kind === 'refused'),
      isLinearizable: isLinearizable(totalOfSku, history),
    }));
    expect(verdicts).toEqual(
      skus.map(sku => ({ sku, seed, isLong: true, wasShort: true, isLinearizable: true })),
    );
    expect(holdsLeft).toBe(0);
    const view = await engines[0]?.live.look(drop.dropId);
    expect(view?.stock.map(({ available, held }) => ({ available, held }))).toEqual(
      skus.map(() => ({ available: totalOfSku, held: 0 })),
    );
  });

  it('are not where a hold reads and then writes: the check sees it', async () => {
    const { histories } = await record({
      operationsCount: 1,
      givesBack: false,
      // Twelve times three of fourteen: few enough orders to try them all.
      clients: engines.slice(0, 12),
      wish: fc.constant({ sku: skuOf('sku-a'), quantity: 3 }),
      storeOf: engine => createUnsafeStore({ redis: engine.redis, run: engine.run }),
    });
    expect([...histories.values()].some(history => !isLinearizable(totalOfSku, history))).toBe(true);
  });
});

async function record(options: {
  operationsCount: number;
  clients?: readonly Engine[];
  wish?: typeof anyWish;
  /** False: what is held at the end stays held. */
  givesBack?: boolean;
  storeOf?: (engine: Engine) => Pick<HoldsStore, 'place' | 'release'>;
}) {
  const { operationsCount, clients = engines, wish = anyWish, givesBack = true } = options;
  const storeOf = options.storeOf ?? ((engine: Engine) => engine.holds);
  const [first] = engines;
  if (!first) throw new Error('there are no clients');
  const items = skus.map(sku => ({
    sku,
    title: sku,
    price: { amount: 100, currency: 'EUR' },
    total: totalOfSku,
    withdrawn: 0,
  }));
  // A pass outlasts the test, and calling all clients must not wait for the stock.
  const drop = await first.load({
    items,
    perBuyerMax: 100,
    passTtlMs: 3_600_000,
    holdTtlMs: 3_600_000,
    activeMax: 10 * clientsCount,
  });
  const buyers: Awaited<ReturnType<Engine['admitted']>>[] = [];
  for (const engine of clients) buyers.push(await engine.admitted(drop));
  const histories = new Map<string, StockOperation[]>(skus.map(sku => [sku, []]));
  let instant = 0;
  let holdsLeft = 0;
  const client = async (engine: Engine, index: number) => {
    const wishes = fc.sample(wish, { seed: seed + index, numRuns: operationsCount });
    const store = storeOf(engine);
    const buyer = buyers[index];
    if (!buyer) throw new Error('each client is a buyer');
    let held: { holdId: ReturnType<typeof newHoldId>; sku: string; quantity: number } | null = null;
    for (let count = 0; count < operationsCount || (held && givesBack); count += 1) {
      const calledAt = (instant += 1);
      if (held) {
        const { kind } = await store.release(drop.dropId, held.holdId, 'buyer');
        const answeredAt = (instant += 1);
        if (kind !== 'released') throw new Error(`a release was answered ${kind}`);
        histories.get(held.sku)?.push({ kind: 'gave', quantity: held.quantity, calledAt, answeredAt });
        held = null;
        holdsLeft -= 1;
        continue;
      }
      const wished = wishes[count];
      if (!wished) break;
      const { sku, quantity } = wished;
      const holdId = newHoldId();
      const { kind } = await store.place({
        holdId,
        dropId: drop.dropId,
        buyerId: buyer.buyerId,
        passExpiresAtMs: buyer.passExpiresAtMs,
        fingerprint: 'the same body',
        quoteExpiresAtMs: Date.now() + 3_600_000,
        frozen: '{}',
        lines: [{ sku, quantity }],
      });
      const answeredAt = (instant += 1);
      if (kind !== 'held' && kind !== 'all-held') throw new Error(`a hold was answered ${kind}`);
      histories
        .get(sku)
        ?.push({ kind: kind === 'held' ? 'took' : 'refused', quantity, calledAt, answeredAt });
      if (kind !== 'held') continue;
      held = { holdId, sku, quantity };
      holdsLeft += 1;
    }
  };
  await Promise.all(clients.map(client));
  return { histories, drop, holdsLeft };
}
