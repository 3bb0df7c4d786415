// What do the pricing threads bring? Carts in batches against one at a time; the event loop while a whole price list is
// repriced against an idle one; and blocks of memory handed over against objects copied.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { Piscina } from 'piscina';
import type { Cart } from '../server/pricing/cart.rules.ts';
import { createPricePool } from '../server/pricing/price-pool.ts';
import { divideHalfUp } from '../server/pricing/currencies.rules.ts';
import type { Bench, BenchRow } from './row.ts';

const linesCount = 100_000;
const change = { basisPoints: 9_000, step: 1 };

/** Three lines and a coupon: what a drop's cart looks like. */
const cartOf = (number: number): Cart => ({
  lines: [
    { sku: 'A-1', quantity: 1 + (number % 2), unitAmount: 2_999 + (number % 97) },
    { sku: 'B-2', quantity: 1, unitAmount: 10_000 },
    { sku: 'C-3', quantity: 2, unitAmount: 499 },
  ],
  discount: { kind: 'percent', basisPoints: 1_250 },
  currency: 'EUR',
  destination: { country: 'DE' },
});

async function prepareBatch(): Promise<Bench> {
  const pool = createPricePool();
  const seconds = async (work: () => Promise<void>) => {
    const startedAt = performance.now();
    await work();
    return (performance.now() - startedAt) / 1_000;
  };
  const priced = async (number: number) => {
    const price = await pool.price(cartOf(number));
    if (price.kind !== 'priced') throw new Error(`a cart was ${price.kind}`);
  };
  const together = async (cartsCount: number) => {
    // As many at once as a busy process has: each wave is what some turns of the event loop bring.
    const waveCount = 2_000;
    const spent = await seconds(async () => {
      for (let from = 0; from < cartsCount; from += waveCount)
        await Promise.all(Array.from({ length: waveCount }, (_, index) => priced(from + index)));
    });
    return cartsCount / spent;
  };
  const inTurn = async (cartsCount: number) => {
    const spent = await seconds(async () => {
      for (let number = 0; number < cartsCount; number += 1) await priced(number);
    });
    return cartsCount / spent;
  };
  await together(20_000);
  await inTurn(1_000);
  return { ours: () => together(100_000), reference: () => inTurn(10_000), close: () => pool.close() };
}

async function prepareLoop(): Promise<Bench> {
  const pool = createPricePool();
  const amounts = Float64Array.from({ length: linesCount }, (_, index) => 100 + (index % 50_000));
  const loopP99Ms = async (work: () => Promise<unknown>) => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const untilMs = performance.now() + 2_000;
    while (performance.now() < untilMs) await work();
    delay.disable();
    return delay.percentile(99) / 1e6;
  };
  const reprice = async () => {
    const changed = await pool.reprice(amounts, change);
    if (changed.length !== linesCount || changed[0] !== 90) throw new Error('the list was repriced wrongly');
  };
  await reprice();
  return {
    ours: () => loopP99Ms(reprice),
    // What the list may cost stands on the other side, so that the ratio is the target itself.
    reference: async () => (await loopP99Ms(() => pause(5))) + 10,
    close: () => pool.close(),
  };
}

async function prepareTransfer(): Promise<Bench> {
  const pool = createPricePool({ threadsCount: 1 });
  const filename = new URL('support/reprice-objects.ts', import.meta.url).href;
  const objects = new Piscina<object, { sku: string; amount: number }[]>({ filename, maxThreads: 1 });
  const amounts = Float64Array.from({ length: linesCount }, (_, index) => 100 + (index % 50_000));
  const list = Array.from(amounts, (amount, index) => ({ sku: `SKU-${index}`, amount }));
  const expected = divideHalfUp({ numerator: 100 * change.basisPoints, denominator: 10_000 });
  const rate = async (work: () => Promise<number | undefined>) => {
    const startedAt = performance.now();
    for (let round = 0; round < 5; round += 1)
      if ((await work()) !== expected) throw new Error('the list was repriced wrongly');
    return (5 * linesCount) / ((performance.now() - startedAt) / 1_000);
  };
  const ours = () => rate(async () => (await pool.reprice(amounts, change))[0]);
  const reference = () => rate(async () => (await objects.run({ list, change }))[0]?.amount);
  await ours();
  await reference();
  return {
    ours,
    reference,
    async close() {
      await Promise.all([pool.close(), objects.close()]);
    },
  };
}

export const rows: BenchRow[] = [
  {
    name: 'price-batch',
    question: 'carts priced by the threads, as many as come in batches',
    unit: 'carts/s',
    referenceName: 'one at a time through the same threads',
    target: { atLeast: 5 },
    prepare: prepareBatch,
  },
  {
    name: 'price-loop',
    question: 'p99 of the event loop’s delay while 100,000 prices are changed, again and again',
    unit: 'ms',
    referenceName: 'an idle loop, and 10 ms',
    target: { atMost: 1 },
    prepare: prepareLoop,
  },
  {
    name: 'price-transfer',
    question: '100,000 prices changed in blocks of memory that are handed over',
    unit: 'prices/s',
    referenceName: 'the same as a list of objects that is copied',
    target: { atLeast: 2 },
    prepare: prepareTransfer,
  },
];
