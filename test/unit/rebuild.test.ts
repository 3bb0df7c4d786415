// How a rebuild goes through its orders: in batches, one at a time at Redis, while the next are read. What it makes of them is
// the flow tests' business.
import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { newBuyerId, orderIdOf } from '../../server/ids.ts';
import { limits } from '../../server/limits.ts';
import type { OrderHold } from '../../server/orders/orders.ts';
import { createMetrics } from '../../server/platform/telemetry.ts';
import { createRebuild, type RebuildDeps } from '../../server/rebuild/rebuild.ts';
import { RebuildOvertaken, type RebuildStore } from '../../server/rebuild/rebuild.store.ts';
import { dropOf, newHoldId, skuOf } from '../support/engine.ts';

const sku = skuOf('sku-a');
const drop = dropOf({
  items: [{ sku, title: 'A', price: { amount: 1_000, currency: 'EUR' }, total: 5_000, withdrawn: 0 }],
});

function orderOf(status: OrderHold['status']): OrderHold {
  const holdId = newHoldId();
  const buyerId = newBuyerId();
  return {
    orderId: orderIdOf(holdId),
    holdId,
    buyerId,
    status,
    proposed: [],
    payDeadlineMs: 9,
    createdAtMs: 1,
    paidAtMs: status === 'paid' ? 2 : null,
    dueAtMs: null,
    serials: status === 'paid' ? [{ sku, serial: 1 }] : [],
    refunds: [],
    quote: {
      dropId: drop.dropId,
      buyerId,
      lines: [{ sku, title: 'A', quantity: 1, unitAmount: 1_000, totalAmount: 1_000 }],
      currency: 'EUR',
      subtotalAmount: 1_000,
      discountAmount: 0,
      shippingAmount: 0,
      taxAmount: 0,
      taxIncluded: true,
      totalAmount: 1_000,
      shipping: 'standard',
      destination: { country: 'DE' },
      expiresAtMs: 9,
    },
  };
}

/** A rebuild whose Redis takes a turn of the event loop for each batch. */
function rebuildOf(batches: readonly (readonly OrderHold[])[], change: Partial<RebuildStore> = {}) {
  const seen = {
    sizes: [] as number[],
    restored: [] as string[],
    atOnce: 0,
    atOnceMost: 0,
    readDuring: 0,
    isClosed: false,
  };
  const marks = { general: 0, priority: 0, late: 0 };
  const store: RebuildStore = {
    look: () => Promise.resolve('lost'),
    begin: (dropId, epoch) => Promise.resolve({ dropId, epoch, server: 'a' }),
    holdIds: () => Promise.resolve(new Set()),
    leftHolds: () => Promise.resolve([]),
    async restore(_rebuilding, holds) {
      seen.atOnce += 1;
      seen.atOnceMost = Math.max(seen.atOnceMost, seen.atOnce);
      seen.sizes.push(holds.length);
      seen.restored.push(...holds.map(({ holdId, state }) => `${holdId} ${state}`));
      await setImmediate();
      seen.atOnce -= 1;
      return holds.filter(({ state }) => state === 'paying').length;
    },
    end: (_rebuilding, rebuilt) => {
      Object.assign(seen, { rebuilt });
      return Promise.resolve();
    },
    mark: () => Promise.resolve(null),
    ...change,
  };
  const deps: RebuildDeps = {
    store,
    epochs: {
      ensure: () => Promise.resolve({ epoch: 1, marks, opensAtMs: null, paused: false, closed: false }),
      next: () => Promise.resolve(true),
      raise: () => Promise.resolve(marks),
      note: () => Promise.resolve(),
    },
    findDrop: () => Promise.resolve(drop),
    dropFields: () => ({}),
    firstPaidShare: '0',
    async *orders() {
      try {
        for (const batch of batches) {
          if (seen.atOnce > 0) seen.readDuring += 1;
          yield batch;
        }
      } finally {
        seen.isClosed = true;
      }
    },
    ownersAmong: () => Promise.resolve(new Set()),
    calls: async function* () {},
    lobby: () => Promise.resolve(null),
    payments: () => Promise.resolve([]),
    insertLost: () => Promise.resolve(),
    clock: { now: () => 5 },
    log: pino({ level: 'silent' }),
    metrics: createMetrics(),
  };
  return { rebuild: () => createRebuild(deps)(drop.dropId), seen };
}

describe('a rebuild of many orders', () => {
  const most = limits.rebuildBatchCount;

  it('restores each hold once, so many at a time, one batch after the other, and reads on meanwhile', async () => {
    const statuses = ['paid', 'pending', 'expired', 'paid'] as const;
    const orders = Array.from({ length: 4 * most + 7 }, (_, index) => orderOf(statuses[index % 4] ?? 'paid'));
    const batches = [orders.slice(0, most + 3), orders.slice(most + 3, 2 * most), [], orders.slice(2 * most)];
    const { rebuild, seen } = rebuildOf(batches);
    expect(await rebuild()).toMatchObject({ kind: 'rebuilt', holdsCount: orders.length });
    const fates = { paid: 'settled', pending: 'paying', expired: 'released' };
    const expected = orders.map(({ holdId, status }) => `${holdId} ${Reflect.get(fates, status)}`);
    expect(seen.restored.toSorted()).toEqual(expected.toSorted());
    expect(Math.max(...seen.sizes)).toBe(most);
    expect(seen.sizes.filter(size => size < most)).toHaveLength(1);
    expect(seen.atOnceMost).toBe(1);
    expect(seen.readDuring).toBeGreaterThan(0);
    const paid = orders.filter(({ status }) => status === 'paid').length;
    const held = orders.filter(({ status }) => status === 'pending').length;
    expect(seen).toMatchObject({
      rebuilt: { withHold: held, stock: [{ sold: paid, held, available: 5_000 - paid - held }] },
    });
  });

  it('stops reading where another has begun, and ends nothing', async () => {
    const batches = Array.from({ length: 6 }, () => Array.from({ length: most }, () => orderOf('paid')));
    let batchesCount = 0;
    const { rebuild, seen } = rebuildOf(batches, {
      restore: () => {
        batchesCount += 1;
        return Promise.reject(new RebuildOvertaken('another has begun'));
      },
      end: () => Promise.reject(new Error('it has ended')),
    });
    expect(await rebuild()).toEqual({ kind: 'busy' });
    expect(batchesCount).toBe(1);
    expect(seen.isClosed).toBe(true);
  });
});
