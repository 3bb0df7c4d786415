// The gates of a drill, and the reckoning that they stand on, over books that are doctored one thing at a time: each
// must be noticed, and by the gate that is for it.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judge } from '../../scripts/drill/gates.ts';
import type { BookedOrder } from '../../server/admin/report-books.ts';
import { readCalls } from '../../server/admin/report-calls.ts';
import type { DropBooks } from '../../server/admin/report-counted.rules.ts';
import { reportSchema, type LoggedCall } from '../../server/admin/report-output.ts';
import type { DropPayment } from '../../server/admin/report-payments.ts';
import { reckonDrop } from '../../server/admin/report.rules.ts';
import { dropIdSchema, skuSchema } from '../../server/ids.ts';

const dropId = dropIdSchema.parse('drop-1');
const sku = skuSchema.parse('sku-a');
const seedHash = 'seed-hash';
const wanted = {
  wantedCount: 10,
  brokenCount: 0,
  places: { moved: 0, lost: 0 },
  told: { maxMs: 400, withinMs: 1_000 },
  serversKilled: null,
  webhooks: null,
  falling: null,
};

function orderOf(serial: number, change: Partial<BookedOrder> = {}): BookedOrder {
  return {
    orderId: `order-${serial}`,
    status: 'paid',
    reason: null,
    quote: { currency: 'EUR', totalAmount: 4_900, lines: [{ sku, quantity: 1 }] },
    serials: [{ sku, serial }],
    restocked: [],
    refundedAmount: 0,
    intent: { id: `pi-${serial}` },
    payDeadlineMs: 5_000,
    dueAtMs: null,
    paidAtMs: 2_000,
    endedAtMs: null,
    releasedAtMs: null,
    ...change,
  };
}

function paymentOf(serial: number, change: Partial<DropPayment> = {}): DropPayment {
  return {
    paymentId: `pi-${serial}`,
    orderId: `order-${serial}`,
    status: 'succeeded',
    currency: 'EUR',
    amount: 4_900,
    receivedAmount: 4_900,
    refundedAmount: 0,
    authorizedAtMs: 1_000,
    ...change,
  };
}

const turnedAway: Partial<BookedOrder> = {
  status: 'cancelled',
  reason: 'sold-out',
  serials: [],
  endedAtMs: 3_000,
  releasedAtMs: 3_000,
  paidAtMs: null,
};
const letGo: Partial<DropPayment> = { status: 'canceled', receivedAmount: 0 };

function logOf(ranges: readonly [number, number][]): LoggedCall[] {
  let before = hashOf([dropId, seedHash]);
  return ranges.map(([from, to], seq) => {
    const atMs = 1_000 + seq;
    const hash = hashOf([before, seq, atMs, 'general', from, to]);
    before = hash;
    return { seq, atMs, lane: 'general', from, to, hash };
  });
}

function hashOf(parts: readonly (string | number)[]): string {
  return createHash('sha256').update(parts.join('\n')).digest('hex');
}

/** Five units, all sold to the first five of ten buyers, as it should be. */
async function soundBooks(
  change: Partial<DropBooks> = {},
  log = logOf([
    [0, 3],
    [3, 6],
  ]),
): Promise<DropBooks> {
  const serials = [1, 2, 3, 4, 5];
  return {
    drop: {
      dropId,
      mode: 'fifo',
      seedHash,
      createdAtMs: 0,
      currency: 'EUR',
      isLoaded: true,
      items: [{ sku, total: 5, withdrawn: 0 }],
    },
    view: {
      state: 'sold-out',
      nowMs: 9_000,
      soldOutAtMs: 8_500,
      stock: [{ sku, total: 5, available: 0, held: 0, sold: 5, withdrawn: 0 }],
      lanes: [{ lane: 'general', arrived: 10, lobbySize: 0, serving: 6 }],
    },
    orders: serials.map(serial => orderOf(serial)),
    ownedUnits: serials.map(serial => ({ sku, serial, order: `order-${serial}` })),
    unitTotals: new Map([[sku, 5]]),
    payments: serials.map(serial => paymentOf(serial)),
    calls: await readCalls({ dropId, seedHash }, log),
    startedAtMs: 8_000,
    countedAtMs: 9_000,
    ...change,
  };
}

async function failedGates(change: Partial<DropBooks>, log?: LoggedCall[]): Promise<string[]> {
  const books = await soundBooks(change, log);
  return judge(reckonDrop(books), wanted)
    .gates.filter(gate => !gate.ok)
    .map(gate => gate.name);
}

describe('the gates over a sound drop', () => {
  it('hold, and count what was sold', async () => {
    const report = reckonDrop(await soundBooks());
    expect(report).toMatchObject({
      atRest: true,
      stock: 5,
      sold: 5,
      oversold: 0,
      unitsDistinct: 5,
      ordersPaid: 5,
      capturedMinor: 24_500,
      expectedMinor: 24_500,
      inversions: 0,
      paidLate: 0,
      turnedAway: 0,
      findings: [],
    });
    expect(reportSchema.parse(report)).toEqual(report);
    expect(judge(report, wanted)).toMatchObject({ ok: true, unsoldWithDemand: 0 });
  });

  it('expect no more than was wanted', async () => {
    const sound = await soundBooks();
    const books = await soundBooks({
      orders: sound.orders.slice(0, 4),
      ownedUnits: sound.ownedUnits.slice(0, 4),
      payments: sound.payments?.slice(0, 4) ?? null,
      view: { ...view(sound), stock: [{ sku, total: 5, available: 1, held: 0, sold: 4, withdrawn: 0 }] },
    });
    expect(judge(reckonDrop(books), { ...wanted, wantedCount: 4 }).ok).toBe(true);
    const verdict = judge(reckonDrop(books), { ...wanted, wantedCount: 7 });
    expect(verdict).toMatchObject({ ok: false, unsoldWithDemand: 1 });
  });
});

function view(books: DropBooks): NonNullable<DropBooks['view']> {
  if (!books.view) throw new Error('these books have a view');
  return books.view;
}

describe('the gates notice', async () => {
  const sound = await soundBooks();
  const orders = [...sound.orders];
  const payments = [...(sound.payments ?? [])];

  it('an order beyond the stock', async () => {
    const change = { orders: [...orders, orderOf(6)], payments: [...payments, paymentOf(6)] };
    expect(await failedGates(change)).toEqual(
      expect.arrayContaining(['oversold', 'sold: what stock and demand allow', 'different units sold']),
    );
  });

  it('one unit sold to two orders', async () => {
    const twice = orders.with(4, orderOf(5, { serials: [{ sku, serial: 4 }] }));
    const failed = await failedGates({ orders: twice, ownedUnits: sound.ownedUnits.slice(0, 4) });
    expect(failed).toEqual(
      expect.arrayContaining(['oversold', 'different units sold', 'other breaches of the books']),
    );
  });

  it('more promised in Redis than there is, although no more was sold', async () => {
    const stock = [{ sku, total: 5, available: 2, held: 0, sold: 5, withdrawn: 0 }];
    expect(await failedGates({ view: { ...view(sound), stock } })).toEqual([
      'oversold',
      'on the shelf or held at the end, although wanted',
      'other breaches of the books',
    ]);
  });

  it('somebody who was let through to payment and turned away', async () => {
    const failed = await failedGates({
      orders: [...orders, orderOf(6, turnedAway)],
      payments: [...payments, paymentOf(6, letGo)],
    });
    expect(failed).toEqual(['authorised and turned away']);
  });

  it('a payment made in time for an order that expired', async () => {
    const expired = orderOf(6, { ...turnedAway, status: 'expired', reason: 'window-ended' });
    const late = { orders: [...orders, expired], payments: [...payments, paymentOf(6, letGo)] };
    expect(await failedGates(late)).toEqual(['paid in time and not served']);
    const afterTheEnd = paymentOf(6, { ...letGo, authorizedAtMs: 6_000 });
    expect(await failedGates({ ...late, payments: [...payments, afterTheEnd] })).toEqual([]);
  });

  it('a buyer turned away while a unit is free', async () => {
    const failed = await failedGates({
      orders: [...orders.slice(0, 4), orderOf(6, turnedAway)],
      ownedUnits: sound.ownedUnits.slice(0, 4),
      payments: [...payments.slice(0, 4), paymentOf(6, letGo)],
      view: { ...view(sound), stock: [{ sku, total: 5, available: 1, held: 0, sold: 4, withdrawn: 0 }] },
    });
    expect(failed).toEqual(expect.arrayContaining(['paid in time and not served', 'unsold although wanted']));
  });

  it('money taken for an order that ended unpaid, or that there is not', async () => {
    const expired = orderOf(6, { ...turnedAway, status: 'expired', reason: 'window-ended' });
    for (const more of [[...orders, expired], orders]) {
      const failed = await failedGates({ orders: more, payments: [...payments, paymentOf(6)] });
      expect(failed).toEqual(
        expect.arrayContaining(['captured as the orders say', 'other breaches of the books']),
      );
    }
  });

  it('a paid order whose payment is missing, short, or not captured', async () => {
    const doctored: DropPayment[][] = [
      payments.slice(0, 4),
      payments.with(4, paymentOf(5, { receivedAmount: 4_000 })),
      payments.with(4, paymentOf(5, { status: 'requires_capture', receivedAmount: 0 })),
    ];
    for (const instead of doctored) {
      expect(await failedGates({ payments: instead })).toEqual([
        'captured as the orders say',
        'other breaches of the books',
      ]);
    }
  });

  it('two payments for one order', async () => {
    const second = paymentOf(5, {
      paymentId: 'pi-again',
      status: 'canceled',
      receivedAmount: 0,
      authorizedAtMs: null,
    });
    expect(await failedGates({ payments: [...payments, second] })).toEqual(['other breaches of the books']);
  });

  it('that nobody asked Stripe', async () => {
    expect(await failedGates({ payments: null })).toEqual([
      'captured as the orders say',
      'paid in time and not served',
    ]);
  });

  it('units that the ledger does not give to who paid for them', async () => {
    expect(await failedGates({ ownedUnits: sound.ownedUnits.slice(0, 4) })).toEqual(
      expect.arrayContaining(['different units sold', 'other breaches of the books']),
    );
  });

  it('that something is still under way', async () => {
    const open = orderOf(6, { status: 'pending', serials: [], paidAtMs: null });
    expect(await failedGates({ orders: [...orders, open] })).toEqual(['at rest: still under way']);
    expect(await failedGates({ view: null })).toContain('at rest: still under way');
  });

  it('calls out of order, left out, twice, or written in afterwards', async () => {
    expect(
      await failedGates(
        {},
        logOf([
          [3, 6],
          [0, 3],
        ]),
      ),
    ).toContain('calls out of order');
    expect(
      await failedGates(
        {},
        logOf([
          [0, 4],
          [3, 6],
        ]),
      ),
    ).toContain('calls out of order');
    expect(
      await failedGates(
        {},
        logOf([
          [0, 2],
          [3, 6],
        ]),
      ),
    ).toContain('ranks passed over');
    const log = logOf([
      [0, 3],
      [3, 6],
    ]);
    const forged = log.map(call => (call.seq === 0 ? { ...call, atMs: call.atMs - 500 } : call));
    expect(await failedGates({}, forged)).toContain('broken links in the call log');
    expect(await failedGates({}, log.slice(1))).toContain('broken links in the call log');
    // Called by Redis, and never logged.
    expect(await failedGates({}, log.slice(0, 1))).toContain('other breaches of the books');
  });

  it('a journey that broke off', async () => {
    expect(judge(reckonDrop(sound), { ...wanted, brokenCount: 1 }).ok).toBe(false);
  });

  it.each([
    ['a buyer who was told of another place', { places: { moved: 1, lost: 0 } }, 'another place'],
    ['a buyer whose place nobody knew', { places: { moved: 0, lost: 1 } }, 'nobody knew'],
    ['a late word that all is sold', { told: { maxMs: 1_001, withinMs: 1_000 } }, 'the last who waited'],
    ['webhooks that were to be faulty and were not', { webhooks: { dropped: 3, duplicated: 0 } }, 'webhooks'],
    ['a server that was to be killed and was not', { serversKilled: { count: 0, wanted: 1 } }, 'killed'],
  ])('%s', (_what, change, gate) => {
    const { gates } = judge(reckonDrop(sound), { ...wanted, ...change });
    expect(gates.filter(each => !each.ok).map(each => each.name)).toEqual([expect.stringContaining(gate)]);
  });

  it('of a price that falls: a hold off the schedule, an order charged otherwise, and money that nobody was told of', () => {
    const report = reckonDrop(sound);
    const told = { offSchedule: 0, chargedOtherwise: 0, toldMinor: report.capturedMinor ?? 0 };
    const failing = (change: Partial<typeof told>) =>
      judge(report, { ...wanted, falling: { ...told, ...change } }).gates.flatMap(each =>
        each.ok ? [] : [each.name],
      );
    expect(failing({})).toEqual([]);
    expect(failing({ offSchedule: 1 })).toEqual([expect.stringContaining('another instant')]);
    expect(failing({ chargedOtherwise: 1 })).toEqual([expect.stringContaining('than held')]);
    expect(failing({ toldMinor: told.toldMinor - 1 })).toEqual([expect.stringContaining('were told')]);
  });
});

describe('what is still moving', () => {
  it('is not held against the drop', async () => {
    // Paid after the reading began: its payment and its units were read before.
    const books = await soundBooks();
    const report = reckonDrop({
      ...books,
      orders: books.orders.with(4, orderOf(5, { paidAtMs: 8_500, dueAtMs: 9_000 })),
      ownedUnits: books.ownedUnits.slice(0, 4),
      payments: (books.payments ?? []).with(
        4,
        paymentOf(5, { status: 'requires_capture', receivedAmount: 0 }),
      ),
    });
    expect(report.atRest).toBe(false);
    expect(report.findings).toEqual([]);
  });
});
