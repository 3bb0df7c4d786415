// The rules of orders: what may follow what, and that news of a payment never takes an order back.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isDestination } from '../../server/checkout/destination.rules.ts';
import {
  afterNews,
  endedUnpaid,
  endOfClosing,
  intentStatuses,
  mayMove,
  orderReasons,
  orderStatuses,
  type OrderStatus,
  retryPauseMs,
  stageOf,
  transitions,
  wasPaid,
} from '../../server/orders/order.rules.ts';
import { metadataOfOrder, metadataOfSerials } from '../../server/payments/payment-metadata.ts';
import { dropIdSchema, orderIdSchema } from '../../server/ids.ts';

/** What may befall an order: news of its payment, and the steps that its own runner takes. */
const happenings = [
  ...intentStatuses.map(status => ({ kind: 'news' as const, status })),
  ...orderStatuses.map(status => ({ kind: 'step' as const, status })),
];

/** As the store does it: a move that the table does not have is no move. */
function apply(status: OrderStatus, happening: (typeof happenings)[number]): OrderStatus {
  const to = happening.kind === 'news' ? afterNews(status, happening.status) : happening.status;
  return to !== null && mayMove(status, to) ? to : status;
}

describe('the transition table of orders', () => {
  it('has a row for each status, and every status but the first is reached from another', () => {
    const rows = Object.keys(transitions);
    expect(rows.toSorted()).toEqual([...orderStatuses].toSorted());
    const reached = new Set<string>(Object.values(transitions).flat());
    expect(orderStatuses.filter(status => !reached.has(status))).toEqual(['pending']);
  });

  it('goes up a stage along every arrow, so no order ever comes round again', () => {
    for (const from of orderStatuses) {
      for (const to of transitions[from])
        expect(stageOf[to], `${from} to ${to}`).toBeGreaterThan(stageOf[from]);
    }
  });

  it('leads every order to an end', () => {
    const ends = orderStatuses.filter(status => transitions[status].length === 0);
    expect(ends.toSorted()).toEqual(['cancelled', 'expired', 'refunded']);
  });

  it('never frees units of an order that has been paid, nor pays one that has ended without money', () => {
    for (const from of orderStatuses) {
      for (const to of transitions[from]) {
        expect(wasPaid(from) && endedUnpaid(to), `${from} to ${to}`).toBe(false);
        expect(endedUnpaid(from) && wasPaid(to), `${from} to ${to}`).toBe(false);
      }
    }
  });

  it('cancels nothing without having looked: only closing and cancelling end unpaid', () => {
    const before = orderStatuses.filter(from => transitions[from].some(to => endedUnpaid(to)));
    expect(before).toEqual(['closing', 'cancelling']);
  });

  it('ends by time as expired, and by somebody as cancelled', () => {
    const expired = orderReasons.filter(reason => endOfClosing(reason) === 'expired');
    expect(expired).toEqual(['window-ended', 'hold-expired']);
  });
});

describe('news of a payment', () => {
  /** What every order goes through stays in the order of the stages, by this table. */
  const neverGoesBack = (applied: typeof apply) =>
    fc.property(fc.array(fc.constantFrom(...happenings), { maxLength: 6 }), many => {
      let status: OrderStatus = 'pending';
      for (const happening of many) {
        const next = applied(status, happening);
        expect(next === status || stageOf[next] > stageOf[status], `${status} to ${next}`).toBe(true);
        status = next;
      }
    });

  it('never takes an order back, over every order and repetition of up to six happenings', () => {
    expect(fc.check(neverGoesBack(apply), { numRuns: 2_000 })).toMatchObject({
      failed: false,
      errorInstance: null,
    });
  });

  it('would take it back where late news is written without a look at the table: the control', () => {
    const byNews: typeof apply = (status, happening) => {
      if (happening.kind === 'step') return apply(status, happening);
      return happening.status === 'requires_capture' ? 'authorized' : status;
    };
    const outcome = fc.check(neverGoesBack(byNews), { numRuns: 2_000, seed: 7 });
    expect(outcome.failed).toBe(true);
    expect(String(outcome.errorInstance)).toMatch(/to authorized/);
  });

  it('ends in the same place whatever the order in which the same news comes', () => {
    const lists: (typeof intentStatuses)[number][][] = [
      ['requires_payment_method', 'processing', 'requires_capture', 'succeeded'],
      ['requires_action', 'requires_capture', 'requires_capture', 'requires_payment_method'],
      ['requires_payment_method', 'requires_payment_method', 'canceled'],
    ];
    for (const list of lists) {
      const ends = permutationsOf(list).map(each => {
        let status: OrderStatus = 'pending';
        for (const intent of each) status = apply(status, { kind: 'news', status: intent });
        return status;
      });
      expect(new Set(ends).size).toBe(1);
    }
  });

  it('authorises also what is being closed: who paid in time gets the goods', () => {
    expect(afterNews('closing', 'requires_capture')).toBe('authorized');
    expect(afterNews('closing', 'succeeded')).toBe('authorized');
    expect(afterNews('closing', 'canceled')).toBeNull();
    for (const status of ['paid', 'cancelling', 'cancelled', 'expired', 'refunded'] as const) {
      for (const intent of intentStatuses) expect(afterNews(status, intent)).toBeNull();
    }
  });
});

describe('the pauses between tries', () => {
  it('double up to the cap', () => {
    const pause = { first: 500, max: 60_000 };
    expect([0, 1, 2, 6, 7, 8, 1_000].map(tries => retryPauseMs(tries, pause))).toEqual([
      500, 1_000, 2_000, 32_000, 60_000, 60_000, 60_000,
    ]);
  });
});

describe('an address and a destination', () => {
  it('fit where the address says what the destination says, however it is typed', () => {
    expect(isDestination({ country: 'DE' }, { country: 'DE', postcode: '10115' })).toBe(true);
    expect(
      isDestination({ country: 'GB', postcode: 'SW1A 1AA' }, { country: 'GB', postcode: 'sw1a1aa' }),
    ).toBe(true);
  });
  it('do not fit where it says something else, or nothing', () => {
    expect(isDestination({ country: 'DE' }, { country: 'FR' })).toBe(false);
    expect(isDestination({ country: 'US', state: 'CA' }, { country: 'US', state: 'NY' })).toBe(false);
    expect(isDestination({ country: 'US', state: 'CA' }, { country: 'US' })).toBe(false);
  });
});

describe("a payment's metadata", () => {
  const orderId = orderIdSchema.parse('ord_00000000-0000-4000-8000-000000000000');
  const dropId = dropIdSchema.parse('drop-a');

  it('names the drop, the order, the lines, and the serials as ranges', () => {
    const lines = [
      { sku: 'a', quantity: 2 },
      { sku: 'b', quantity: 1 },
    ];
    expect(metadataOfOrder({ orderId, dropId, lines })).toEqual({
      drop: dropId,
      order: orderId,
      lines: 'a=2 b=1',
    });
    const serials = [9, 3, 4, 5].map(serial => ({ sku: 'a', serial }));
    expect(metadataOfSerials([...serials, { sku: 'b', serial: 1 }])).toEqual({ serials: 'a=3-5 a=9 b=1' });
  });

  it("keeps to Stripe's bounds for the largest order, and loses nothing", () => {
    const sku = (index: number) => `${'s'.repeat(61)}-${String(index).padStart(2, '0')}`;
    const lines = Array.from({ length: 20 }, (_, index) => ({ sku: sku(index), quantity: 100 }));
    const metadata = metadataOfOrder({ orderId, dropId, lines });
    const values = Object.values(metadata);
    expect(Object.keys(metadata).length).toBeLessThanOrEqual(50);
    expect(Math.max(...values.map(value => value.length))).toBeLessThanOrEqual(500);
    const told = Object.entries(metadata).flatMap(([name, value]) =>
      name.startsWith('lines') ? value.split(' ') : [],
    );
    expect(told).toHaveLength(20);
  });
});

function permutationsOf<T>(list: readonly T[]): T[][] {
  if (list.length <= 1) return [[...list]];
  return list.flatMap((item, index) => permutationsOf(list.toSpliced(index, 1)).map(rest => [item, ...rest]));
}
