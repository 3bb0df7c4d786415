// The audit's checks over sources made by hand: what is whole passes, and each violation that is planted is named.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { runAudit, type AuditSources } from '../../server/audit/audit.ts';
import type { AuditOrder, AuditPayment, AuditUnit } from '../../server/audit/check-orders.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

type Call = { seq: number; atMs: number; lane: string; from: number; to: number; hash: string };
interface Books {
  orders: AuditOrder[];
  units: AuditUnit[];
  payments: AuditPayment[];
  calls: Call[];
  stock: { sku: string; total: number; available: number; held: number; sold: number; withdrawn: number };
}

function chained(calls: Omit<Call, 'hash'>[]): Call[] {
  let hash = sha256('drop-1\nseed');
  return calls.map(call => {
    hash = sha256([hash, call.seq, call.atMs, call.lane, call.from, call.to].join('\n'));
    return { ...call, hash };
  });
}

const order = (change: Partial<AuditOrder> = {}): AuditOrder => ({
  orderId: 'ord-1',
  holdId: 'hold-1',
  dropId: 'drop-1',
  status: 'paid',
  totalAmount: 1_000,
  refundedAmount: 0,
  lines: [{ sku: 'a', quantity: 1 }],
  serials: [{ sku: 'a', serial: 1 }],
  intentId: 'pi-1',
  released: false,
  restocked: [],
  ...change,
});
const unit = (change: Partial<AuditUnit> = {}): AuditUnit => ({
  unitId: 'drop-1/a/1',
  dropId: 'drop-1',
  sku: 'a',
  serial: 1,
  orderId: 'ord-1',
  slot: 'a/0',
  ...change,
});
const payment = (change: Partial<AuditPayment> = {}): AuditPayment => ({
  paymentId: 'pi-1',
  orderId: 'ord-1',
  status: 'succeeded',
  capturedAmount: 1_000,
  refundedAmount: 0,
  ...change,
});
const whole = (): Books => ({
  orders: [order()],
  units: [unit()],
  payments: [payment()],
  calls: chained([
    { seq: 0, atMs: 1, lane: 'general', from: 0, to: 2 },
    { seq: 1, atMs: 2, lane: 'general', from: 2, to: 3 },
  ]),
  stock: { sku: 'a', total: 3, available: 1, held: 1, sold: 1, withdrawn: 0 },
});

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}

async function findingsOf(books: Books): Promise<string[]> {
  const sources: AuditSources = {
    drops: () =>
      each([
        {
          dropId: 'drop-1',
          seedHash: 'seed',
          ended: false,
          totals: new Map([['a', 3]]),
          view: { stock: [books.stock] },
        },
      ]),
    orders: () => each(books.orders.toSorted((a, b) => a.orderId.localeCompare(b.orderId))),
    ownedUnits: () => each(books.units.toSorted((a, b) => a.orderId.localeCompare(b.orderId))),
    payments: () => each(books.payments),
    calls: () => each(books.calls),
  };
  const report = await runAudit(sources, { looksMax: 1 });
  expect(report.ok).toBe(report.findings.length === 0);
  return report.findings.map(finding => `${finding.invariant} ${finding.document}: ${finding.what}`);
}

describe('the audit', () => {
  it('finds nothing in books that are whole', async () => {
    expect(await findingsOf(whole())).toEqual([]);
  });

  it('names stock that does not add up, is below zero, or is sold by other books', async () => {
    const lost = { ...whole(), stock: { sku: 'a', total: 3, available: 0, held: 1, sold: 1, withdrawn: 0 } };
    expect(await findingsOf(lost)).toEqual([expect.stringContaining('1 drop-1/a: available 0 + held 1')]);
    const negative = {
      ...whole(),
      stock: { sku: 'a', total: 3, available: -1, held: 3, sold: 1, withdrawn: 0 },
    };
    expect(await findingsOf(negative)).toEqual(['1 drop-1/a: a count is below zero']);
    const drifted = {
      ...whole(),
      stock: { sku: 'a', total: 3, available: 1, held: 0, sold: 2, withdrawn: 0 },
    };
    expect(await findingsOf(drifted)).toEqual(['1 drop-1/a: Redis counts 2 as sold, paid orders own 1']);
  });

  it('names a unit of no order, of an order that ended unpaid, and two units in one slot', async () => {
    const orphan = {
      ...whole(),
      units: [unit(), unit({ unitId: 'drop-1/a/2', serial: 2, orderId: 'ord-0' })],
    };
    expect(await findingsOf(orphan)).toEqual(['2 drop-1/a/2: belongs to ord-0, which does not exist']);
    const kept = {
      ...whole(),
      orders: [
        order(),
        order({ orderId: 'ord-2', holdId: 'hold-2', status: 'expired', released: true, serials: [] }),
      ],
      units: [unit(), unit({ unitId: 'drop-1/a/2', serial: 2, orderId: 'ord-2' })],
    };
    expect(await findingsOf(kept)).toEqual(['2 ord-2: is expired and still owns 1 units']);
    const twice = {
      ...whole(),
      orders: [
        order({
          lines: [{ sku: 'a', quantity: 2 }],
          serials: [
            { sku: 'a', serial: 1 },
            { sku: 'a', serial: 2 },
          ],
        }),
      ],
      units: [unit(), unit({ unitId: 'drop-1/a/2', serial: 2 })],
      stock: { sku: 'a', total: 3, available: 0, held: 1, sold: 2, withdrawn: 0 },
    };
    expect(await findingsOf(twice)).toEqual(['2 drop-1/a/2: is a second unit for slot a/0 of ord-1']);
  });

  it('misses no unit that a refund has put back, and names one that the order has kept all the same', async () => {
    const books = whole();
    const restocked = [{ sku: 'a', serial: 1 }];
    const stock = { ...books.stock, sold: 0, available: 2 };
    books.orders = [order({ restocked })];
    expect(await findingsOf({ ...books, units: [], stock })).toEqual([]);
    expect(await findingsOf({ ...books, stock })).not.toEqual([]);
  });

  it('names a paid order without its units or its money, and money without an order', async () => {
    const unclaimed = {
      ...whole(),
      units: [],
      orders: [order({ serials: [] })],
      stock: { sku: 'a', total: 3, available: 2, held: 1, sold: 0, withdrawn: 0 },
    };
    expect(await findingsOf(unclaimed)).toEqual(['3 ord-1: is paid for 1 units and owns 0']);
    expect(await findingsOf({ ...whole(), payments: [] })).toEqual([
      '3 ord-1: is paid over 1000, and 0 was captured',
    ]);
    const unknown = { ...whole(), payments: [payment(), payment({ paymentId: 'pi-9', orderId: 'ord-9' })] };
    expect(await findingsOf(unknown)).toEqual(['3 pi-9: is captured for ord-9, which does not exist']);
    const charged = {
      ...whole(),
      orders: [order({ status: 'cancelled', released: true, serials: [] })],
      units: [],
      stock: { sku: 'a', total: 3, available: 2, held: 1, sold: 0, withdrawn: 0 },
    };
    expect(await findingsOf(charged)).toEqual(['3 ord-1: is cancelled, and 1000 was captured and kept']);
  });

  it('names a second order of one hold, a second live payment and a second capture', async () => {
    const second = {
      ...whole(),
      orders: [order(), order({ orderId: 'ord-2', status: 'pending', serials: [] })],
    };
    expect(await findingsOf(second)).toEqual(['4 ord-2: is a second order of hold hold-1']);
    const twice = { ...whole(), payments: [payment(), payment({ paymentId: 'pi-2' })] };
    expect(await findingsOf(twice)).toEqual([
      '4 ord-1: has 2 payments that are not cancelled',
      '4 ord-1: is captured 2 times',
      '3 ord-1: is paid over 1000, and 2000 was captured',
    ]);
  });

  it('names a call out of turn, a missing call and a changed one', async () => {
    const outOfTurn = {
      ...whole(),
      calls: chained([
        { seq: 0, atMs: 1, lane: 'general', from: 0, to: 2 },
        { seq: 1, atMs: 2, lane: 'general', from: 3, to: 4 },
      ]),
    };
    expect(await findingsOf(outOfTurn)).toEqual([
      '7 drop-1, call 1: calls from rank 3 on, where rank 2 is next',
    ]);
    const missing = { ...whole(), calls: whole().calls.slice(1) };
    expect((await findingsOf(missing))[0]).toBe('7 drop-1, call 1: follows call -1');
    const changed = {
      ...whole(),
      calls: whole().calls.map(call => (call.seq === 0 ? { ...call, atMs: 99 } : call)),
    };
    expect(await findingsOf(changed)).toEqual([
      '7 drop-1, call 0: does not have the hash that its content and the calls before it give',
    ]);
  });
});
