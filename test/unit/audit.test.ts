// The audit's checks over books made by hand: what is whole passes, and each violation that is planted is named, with its
// document and the number of its invariant, and nothing else is.
import { describe, expect, it } from 'vitest';
import {
  chained,
  expired,
  findingsOf,
  hold,
  nowMs,
  order,
  payment,
  refund,
  unit,
  wholeBooks,
} from '../support/audit-books.ts';

const stockOf = (available: number, held: number, sold: number) => ({
  sku: 'a',
  total: 3,
  available,
  held,
  sold,
  withdrawn: 0,
});

describe('the audit', () => {
  it('finds nothing in books that are whole', async () => {
    expect(await findingsOf(wholeBooks())).toEqual([]);
    expect(await findingsOf(wholeBooks({ orders: [order(), expired()] }))).toEqual([]);
  });

  it('names stock that does not add up, is below zero, or is sold by other books', async () => {
    expect(await findingsOf(wholeBooks({ stock: stockOf(0, 1, 1) }))).toEqual([
      expect.stringContaining('1 drop-1/a: available 0 + held 1'),
    ]);
    expect(await findingsOf(wholeBooks({ stock: stockOf(-1, 3, 1) }))).toEqual([
      '1 drop-1/a: a count is below zero',
      '1 drop-1/a: Redis counts 3 as held, its holds have 1',
    ]);
    expect(await findingsOf(wholeBooks({ stock: stockOf(0, 1, 2) }))).toEqual([
      '1 drop-1/a: Redis counts 2 as sold, paid orders own 1',
    ]);
    const { drop } = wholeBooks();
    expect(await findingsOf(wholeBooks({ drop: { ...drop, view: null } }))).toEqual([
      '1 drop-1: Redis does not know this drop',
    ]);
  });

  it('names the hold of a paid order whose units still count as held, or are back on the shelf', async () => {
    const [left = hold()] = wholeBooks().holds;
    const own = (state: string) => hold({ holdId: 'hold-1', buyerId: 'buyer-1', state });
    expect(await findingsOf(wholeBooks({ holds: [left, own('paying')], stock: stockOf(1, 2, 0) }))).toEqual([
      '1 hold-1: is paying, and its order is paid: its units count as held',
      '1 drop-1/a: Redis counts 0 as sold, paid orders own 1',
    ]);
    expect(await findingsOf(wholeBooks({ holds: [left, own('released')] }))).toEqual([
      '1 hold-1: was returned, and its order is paid: its units are on the shelf',
    ]);
  });

  it('names a unit of no order, of an order that ended unpaid, and two units in one slot', async () => {
    const second = unit({ unitId: 'drop-1/a/2', serial: 2 });
    expect(await findingsOf(wholeBooks({ units: [unit(), { ...second, orderId: 'ord_hold-0' }] }))).toEqual([
      '2 drop-1/a/2: belongs to ord_hold-0, which does not exist',
    ]);
    const kept = { orders: [order(), expired()], units: [unit(), { ...second, orderId: 'ord_hold-2' }] };
    expect(await findingsOf(wholeBooks(kept))).toEqual(['2 ord_hold-2: is expired and still owns 1 units']);
    const lines = [{ sku: 'a', quantity: 2, unitAmount: 500 }];
    const serials = [
      { sku: 'a', serial: 1 },
      { sku: 'a', serial: 2 },
    ];
    const twice = wholeBooks({
      orders: [order({ lines, serials })],
      units: [unit(), second],
      holds: [hold(), hold({ holdId: 'hold-1', buyerId: 'buyer-1', state: 'settled', lines })],
      stock: stockOf(0, 1, 2),
      bought: { 'buyer-1': 2, 'buyer-2': 1 },
    });
    expect(await findingsOf(twice)).toEqual(['2 drop-1/a/2: is a second unit for slot a/0 of ord_hold-1']);
  });

  it('names a serial that is missing from the ledger, is there twice, or lies beyond the total', async () => {
    const { serials } = wholeBooks();
    expect(await findingsOf(wholeBooks({ serials: serials.slice(1) }))).toEqual([
      '2 drop-1/a: the ledger has 2 of its 3 units',
    ]);
    const more = [...serials, { unitId: 'drop-1/a/again', serial: 3 }, { unitId: 'drop-1/a/4', serial: 4 }];
    expect(await findingsOf(wholeBooks({ serials: more }))).toEqual([
      '2 drop-1/a/again: is a second unit with serial 3',
      '2 drop-1/a/4: has a serial beyond 1 to 3',
    ]);
  });

  it('misses no unit that a refund has put back, and names one that the order has kept all the same', async () => {
    const back = refund({ amount: 0, restock: [{ sku: 'a', serial: 1 }], restockedAtMs: 1 });
    const books = { orders: [order({ refunds: [back] })], stock: stockOf(2, 1, 0), bought: { 'buyer-2': 1 } };
    expect(await findingsOf(wholeBooks({ ...books, units: [] }))).toEqual([]);
    expect(await findingsOf(wholeBooks(books))).not.toEqual([]);
    const again = { ...back, refundId: 'r-2', paymentRefundId: null };
    const twice = [order({ refunds: [back, again] })];
    expect(await findingsOf(wholeBooks({ ...books, orders: twice, units: [] }))).toContain(
      '2 ord_hold-1: has put a/1 back on the shelf twice',
    );
  });

  it('names a paid order without its units or its money, and money without an order', async () => {
    const unclaimed = wholeBooks({
      units: [],
      orders: [order({ serials: [] })],
      stock: stockOf(2, 1, 0),
      bought: { 'buyer-2': 1 },
    });
    expect(await findingsOf(unclaimed)).toEqual(['3 ord_hold-1: is paid for 1 units and owns 0']);
    expect(await findingsOf(wholeBooks({ payments: [] }))).toEqual([
      '3 ord_hold-1: is paid over 1000, and 0 was captured',
    ]);
    const unknown = [payment(), payment({ paymentId: 'pi-9', orderId: 'ord_hold-7' })];
    expect(await findingsOf(wholeBooks({ payments: unknown }))).toEqual([
      '3 pi-9: is captured for ord_hold-7, which does not exist',
    ]);
    const charged = wholeBooks({
      orders: [order(), expired({ reason: 'hold-expired' })],
      payments: [payment(), payment({ paymentId: 'pi-2', orderId: 'ord_hold-2' })],
    });
    expect(await findingsOf(charged)).toEqual(['3 ord_hold-2: is expired, and 1000 was captured and kept']);
  });

  it('names a coupon that is paid for, or counted, beyond its limits, and a paid use that is not counted', async () => {
    const books = (change: Partial<Parameters<typeof wholeBooks>[0]> = {}) =>
      wholeBooks({
        orders: [order({ coupon: 'ten' })],
        coupons: [{ code: 'ten', usesMax: 1, perBuyerMax: null }],
        couponUses: { ten: ['hold-1'] },
        ...change,
      });
    expect(await findingsOf(books())).toEqual([]);
    expect(await findingsOf(books({ couponUses: { ten: [] } }))).toEqual([
      '6 ord_hold-1: is paid with the coupon ten, and Redis does not count its use',
    ]);
    // What Redis lost is brought back before it counts again.
    expect(await findingsOf(books({ couponUses: { ten: null } }))).toEqual([]);
    expect(await findingsOf(books({ couponUses: { ten: ['hold-1', 'hold-7'] } }))).toEqual([
      '6 coupon ten: has 2 uses in Redis, where 1 are allowed',
    ]);
    expect(await findingsOf(books({ coupons: [{ code: 'ten', usesMax: 0, perBuyerMax: 0 }] }))).toEqual([
      '6 coupon ten: is used by 1 paid orders, where 0 are allowed',
      '6 coupon ten: has 1 uses in Redis, where 0 are allowed',
    ]);
    expect(await findingsOf(books({ coupons: [] }))).toEqual([
      '6 ord_hold-1: is paid with the coupon ten, which does not exist',
    ]);
    const unlimited = { coupons: [{ code: 'ten', usesMax: null, perBuyerMax: null }], couponUses: {} };
    expect(await findingsOf(books(unlimited))).toEqual([]);
    // An order that ended unpaid uses nothing.
    expect(await findingsOf(books({ ...unlimited, orders: [order(), expired({ coupon: 'gone' })] }))).toEqual(
      [],
    );
    const second = {
      orderId: 'ord_hold-5',
      holdId: 'hold-5',
      coupon: 'ten',
      serials: [{ sku: 'a', serial: 2 }],
    };
    const twice = await findingsOf(
      books({
        orders: [order({ coupon: 'ten' }), order({ ...second, intent: null, totalAmount: 0 })],
        units: [unit(), unit({ unitId: 'drop-1/a/2', serial: 2, orderId: 'ord_hold-5' })],
        coupons: [{ code: 'ten', usesMax: null, perBuyerMax: 1 }],
        couponUses: { ten: ['hold-1', 'hold-5'] },
        stock: stockOf(0, 1, 2),
        bought: { 'buyer-1': 2, 'buyer-2': 1 },
      }),
    );
    expect(twice).toEqual(['6 coupon ten, buyer buyer-1: has paid with it 2 times, where 1 are allowed']);
  });

  it('names refunds that do not come to what the order or Stripe says', async () => {
    const refunded = (amount: number, ...refunds: ReturnType<typeof refund>[]) =>
      wholeBooks({
        orders: [order({ refundedAmount: amount, refunds })],
        payments: [payment({ refundedAmount: amount })],
      });
    expect(await findingsOf(refunded(400, refund()))).toEqual([]);
    expect(await findingsOf(refunded(300, refund()))).toEqual([
      '3 ord_hold-1: has 300 refunded, and its refunds come to 400',
    ]);
    expect(await findingsOf(refunded(1_200, refund({ amount: 1_200 })))).toEqual([
      '3 ord_hold-1: costs 1000, and 1200 was refunded',
    ]);
    expect(await findingsOf({ ...refunded(400, refund()), payments: [payment()] })).toEqual([
      '3 ord_hold-1: has 400 refunded in its books, and Stripe has 0',
    ]);
  });

  it('names a second order of one hold, a second live payment and a second capture', async () => {
    const pending = order({
      orderId: 'ord_hold-1b',
      status: 'pending',
      serials: [],
      intent: null,
      settledAtMs: null,
      rev: 0,
      history: [{ status: 'pending' }],
    });
    const { holds } = wholeBooks();
    const second = wholeBooks({ orders: [order(), pending], holds: holds.slice(0, 1) });
    expect(await findingsOf(second)).toEqual(['4 ord_hold-1b: is a second order of hold hold-1']);
    expect(await findingsOf(wholeBooks({ payments: [payment(), payment({ paymentId: 'pi-2' })] }))).toEqual([
      '4 ord_hold-1: has 2 payments that are not cancelled',
      '4 ord_hold-1: is captured 2 times',
      '3 ord_hold-1: is paid over 1000, and 2000 was captured',
    ]);
    expect(await findingsOf(wholeBooks({ payments: [payment({ paymentId: 'pi-2' })] }))).toEqual([
      '4 ord_hold-1: has the payment pi-1 in its books, and pi-2 at Stripe',
    ]);
  });

  it('names a hold that ran out and was not returned, also where its order has ended unpaid', async () => {
    const late = (byMs: number) =>
      wholeBooks({
        holds: [hold({ expiresAtMs: nowMs - byMs })],
      });
    // The holds are read a moment before the drop is looked at.
    expect(await findingsOf(late(1_900))).toEqual([]);
    expect(await findingsOf(late(60_000))).toEqual([
      expect.stringMatching(/^5 hold-9: ran out at .*, and was not returned$/),
    ]);
    const kept = wholeBooks({
      orders: [order(), expired()],
      holds: [hold({ holdId: 'hold-2', buyerId: 'buyer-3', state: 'paying' })],
      bought: { 'buyer-1': 1, 'buyer-3': 1 },
    });
    expect(await findingsOf(kept)).toEqual([
      '5 hold-2: is paying, and its order ended unpaid: it was never returned',
    ]);
  });

  it('names a buyer who has more than the limit, or for whom Redis counts something else', async () => {
    const { drop } = wholeBooks();
    const held = hold({ holdId: 'hold-8', buyerId: 'buyer-1', lines: [{ sku: 'a', quantity: 1 }] });
    const over = wholeBooks({
      drop: { ...drop, perBuyerMax: 1 },
      holds: [hold(), held],
      stock: stockOf(0, 2, 1),
      bought: { 'buyer-1': 2, 'buyer-2': 1 },
    });
    expect(await findingsOf(over)).toEqual(['6 drop-1, buyer buyer-1: has 2 units, where 1 are allowed']);
    expect(await findingsOf(wholeBooks({ bought: { 'buyer-2': 1 } }))).toEqual([
      '6 drop-1, buyer buyer-1: Redis counts 0 units, they have 1',
    ]);
  });

  it('names a card that has paid for more than its limit, or is counted otherwise than its orders', async () => {
    const withCard = (perCardMax: number, used: number, units: number) =>
      wholeBooks({
        orders: [order({ card: 'c', perCardMax })],
        cards: [{ cardId: 'drop-1/c', used, takers: [{ order: 'ord_hold-1', units }] }],
      });
    expect(await findingsOf(withCard(1, 1, 1))).toEqual([]);
    expect(await findingsOf(withCard(0, 1, 1))).toEqual([
      '6 drop-1/c: has paid for 1 units, where 0 are allowed',
    ]);
    expect(await findingsOf(withCard(1, 2, 1))).toEqual([
      '6 drop-1/c: is said to have 2 units, and its orders come to 1',
    ]);
    expect(await findingsOf(withCard(1, 0, 0))).toEqual([
      '6 drop-1/c: is said to have 0 units, and has paid for 1',
    ]);
  });

  it('names a call out of turn, a missing call and a changed one', async () => {
    const outOfTurn = chained([
      { seq: 0, atMs: 1, lane: 'general', from: 0, to: 1 },
      { seq: 1, atMs: 2, lane: 'general', from: 2, to: 3 },
    ]);
    expect(await findingsOf(wholeBooks({ calls: outOfTurn }))).toEqual([
      '7 drop-1, call 1: calls from rank 2 on, where rank 1 is next',
    ]);
    const { calls } = wholeBooks();
    expect((await findingsOf(wholeBooks({ calls: calls.slice(1) })))[0]).toBe(
      '7 drop-1, call 1: follows call -1',
    );
    const changed = calls.map(call => (call.seq === 0 ? { ...call, atMs: 99 } : call));
    expect(await findingsOf(wholeBooks({ calls: changed }))).toEqual([
      '7 drop-1, call 0: does not have the hash that its content and the calls before it give',
    ]);
  });

  it('names calls that the log does not know, of people who never came, and after everything was sold', async () => {
    const { drop, calls } = wholeBooks();
    const seen = (change: object) =>
      wholeBooks({ drop: { ...drop, view: drop.view && { ...drop.view, ...change } } });
    expect(await findingsOf({ ...seen({}), calls: calls.slice(0, 1) })).toEqual([
      '7 drop-1, lane general: Redis has called 3, the log 2',
    ]);
    expect(await findingsOf(seen({ lanes: [{ lane: 'general', arrived: 2, serving: 2 }] }))).toEqual([
      '7 drop-1, lane general: 3 were called, where 2 have come',
    ]);
    expect(await findingsOf(seen({ soldOutAtMs: 1 }))).toEqual([
      '7 drop-1, call 1: calls after everything was sold',
    ]);
  });

  it('names what was acknowledged and is lost: orders of holds and of payments, steps that nobody takes', async () => {
    const lost = hold({ holdId: 'hold-6', buyerId: 'buyer-2', state: 'paying' });
    expect(await findingsOf(wholeBooks({ holds: [lost] }))).toEqual([
      '9 hold-6: is paying, and its order does not exist (any more)',
    ]);
    const open = payment({
      paymentId: 'pi-9',
      orderId: 'ord_hold-7',
      status: 'requires_capture',
      capturedAmount: 0,
    });
    expect(await findingsOf(wholeBooks({ payments: [payment(), open] }))).toEqual([
      '9 pi-9: is requires_capture for ord_hold-7, which does not exist (any more)',
    ]);
    const stuck = order({ dueAtMs: nowMs - 61_000 });
    expect(await findingsOf(wholeBooks({ orders: [stuck] }))).toEqual([
      expect.stringMatching(/^9 ord_hold-1: is paid and due since .*, and nobody takes it further$/),
    ]);
    const settled = hold({ holdId: 'hold-2', state: 'settled' });
    expect(await findingsOf(wholeBooks({ orders: [order(), expired()], holds: [hold(), settled] }))).toEqual([
      '9 hold-2: is settled, and its order is expired',
    ]);
  });

  it('names an id under which two different things were done', async () => {
    const other = hold({
      holdId: 'hold-1',
      buyerId: 'buyer-1',
      state: 'settled',
      lines: [{ sku: 'b', quantity: 1 }],
    });
    expect(await findingsOf(wholeBooks({ holds: [hold(), other] }))).toEqual([
      '10 ord_hold-1: is for a=1, and its hold for b=1',
    ]);
    expect(await findingsOf(wholeBooks({ payments: [payment({ amount: 900 })] }))).toEqual([
      '10 pi-1: is over 900 EUR; the call that made it was for 1000 EUR',
    ]);
    const twice = wholeBooks({
      orders: [order({ refundedAmount: 800, refunds: [refund(), refund()] })],
      payments: [payment({ refundedAmount: 800 })],
    });
    expect(await findingsOf(twice)).toEqual([
      '10 ord_hold-1: has two refunds under the id r-1',
      "4 ord_hold-1: counts Stripe's refund re-1 twice",
    ]);
  });

  it('names an order whose status went back, or is not where its history ends', async () => {
    const went = (rev: number, ...statuses: string[]) =>
      wholeBooks({ orders: [order({ rev, history: statuses.map(status => ({ status })) })] });
    expect(await findingsOf(went(4, 'pending', 'authorized', 'paid', 'authorized', 'paid'))).toEqual([
      '11 ord_hold-1: went from paid to authorized',
    ]);
    expect(await findingsOf(went(1, 'pending', 'authorized'))).toEqual([
      '11 ord_hold-1: is paid, and its history ends as authorized',
    ]);
    expect(await findingsOf(went(5, 'pending', 'authorized', 'paid'))).toEqual([
      '11 ord_hold-1: is at revision 5 after 2 moves',
    ]);
    expect(await findingsOf(went(1, 'authorized', 'paid'))).toEqual(['11 ord_hold-1: begins as authorized']);
  });

  it('names a drop whose seed, lobby or key is not what it committed itself to', async () => {
    const { drop, lobby, leaves } = wholeBooks();
    const seed = Buffer.alloc(32, 8).toString('base64url');
    expect(await findingsOf(wholeBooks({ drop: { ...drop, seed }, lobby: null }))).toEqual([
      '12 drop-1: its seed is not the one whose hash was published beforehand',
    ]);
    expect(await findingsOf(wholeBooks({ drop: { ...drop, seed } }))).toEqual([
      '12 drop-1: the seed is not the one whose hash was published beforehand',
      '12 drop-1: the key is not what seed, root and beacon give',
    ]);
    expect(await findingsOf(wholeBooks({ leaves: leaves.slice(0, 64) }))).toEqual([
      expect.stringMatching(/^12 drop-1: lane general was frozen with 3 tickets, and 2 are shown$/),
      expect.stringMatching(/^12 drop-1: the tickets of lane general do not give the root/),
    ]);
    const other = lobby && { ...lobby, root: 'ab'.repeat(32) };
    expect(await findingsOf(wholeBooks({ lobby: other }))).toContain(
      '12 drop-1: the root is not that of the lanes and their sizes',
    );
  });

  it('names who paid in time and was not served, and news of a payment that nobody works off', async () => {
    const authorizedAtMs = nowMs - 20_000;
    const released = payment({
      paymentId: 'pi-2',
      orderId: 'ord_hold-2',
      status: 'canceled',
      capturedAmount: 0,
      authorizedAtMs,
    });
    const turnedAway = (change: object) =>
      wholeBooks({ orders: [order(), expired(change)], payments: [payment(), released] });
    expect(await findingsOf(turnedAway({ payDeadlineMs: authorizedAtMs - 1 }))).toEqual([]);
    expect(await findingsOf(turnedAway({ payDeadlineMs: authorizedAtMs + 2_000 }))).toEqual([
      '13 ord_hold-2: is expired for time, and its payment pi-2 was authorised before its deadline',
    ]);
    // What stands for an order that was lost: the money is known to be back, or it would be a finding of its own.
    const lost = { rev: 0, history: [{ status: 'expired' }], payDeadlineMs: authorizedAtMs + 2_000 };
    expect(await findingsOf(turnedAway(lost))).toEqual([]);
    const late = { eventId: 'evt-1', dueAtMs: nowMs - 61_000 };
    expect(await findingsOf(wholeBooks({ lateEvents: [late, { ...late, dueAtMs: nowMs }] }))).toEqual([
      expect.stringMatching(/^13 evt-1: is due since .*, and nobody works it off$/),
    ]);
  });
});
