import { describe, expect, test } from 'vitest';
import { dropIdSchema, type Sku, skuSchema } from '../../server/ids.ts';
import type { Availability } from '../../server/search/product-entry.ts';
import { createStockWatch } from '../../workers/watch-stock.ts';
import { quietLog } from '../support/catalog-services.ts';

const sku = (name: string): Sku => skuSchema.parse(name);
const drop = dropIdSchema.parse('drop-a');

describe('the watch over the drops’ stock', () => {
  function watched() {
    const stock = new Map<Sku, Availability>();
    const asked: Sku[][] = [];
    let isAway = false;
    const watch = createStockWatch({
      availabilityOf: async () => new Map(stock),
      reindexSkus: async skus => {
        if (isAway) throw new Error('away');
        asked.push(skus.toSorted());
      },
      log: quietLog,
    });
    return {
      watch,
      asked,
      set: (name: string, inStock: boolean) => void stock.set(sku(name), { inStock, drops: [drop] }),
      close: (name: string) => void stock.delete(sku(name)),
      away: (value: boolean) => {
        isAway = value;
      },
    };
  }

  test('asks for what came into stock, ran out, or is sold no more, and for nothing else', async () => {
    const { watch, asked, set, close } = watched();
    set('a', true);
    set('b', true);
    await watch.look();
    await watch.look();
    set('b', false);
    await watch.look();
    close('a');
    await watch.look();
    await watch.look();
    expect(asked).toEqual([['a', 'b'], ['b'], ['a']]);
  });

  test('asks once however often a SKU flickers between two looks, and not at all if it is as it was', async () => {
    const { watch, asked, set } = watched();
    set('a', true);
    await watch.look();
    for (let turn = 0; turn < 1_001; turn += 1) set('a', turn % 2 === 1);
    await watch.look();
    for (let turn = 0; turn < 1_000; turn += 1) set('a', turn % 2 === 1);
    set('a', false);
    await watch.look();
    expect(asked).toEqual([['a'], ['a']]);
  });

  test('asks again for what could not be asked for', async () => {
    const { watch, asked, set, away } = watched();
    set('a', true);
    away(true);
    expect(await watch.look()).toBe(0);
    away(false);
    expect(await watch.look()).toBe(1);
    expect(asked).toEqual([['a']]);
  });
});
