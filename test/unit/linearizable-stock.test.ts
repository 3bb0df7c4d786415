// The checker of histories, on histories small enough to be judged by hand.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isLinearizable, type StockOperation } from '../support/linearizable-stock.ts';

type Row = [kind: StockOperation['kind'], quantity: number, calledAt: number, answeredAt: number];
const history = (...rows: Row[]): StockOperation[] =>
  rows.map(([kind, quantity, calledAt, answeredAt]) => ({ kind, quantity, calledAt, answeredAt }));

describe('a history of holds and releases', () => {
  it('is linearizable where one after the other took what was there', () => {
    expect(isLinearizable(2, history(['took', 1, 0, 1], ['took', 1, 2, 3], ['refused', 1, 4, 5]))).toBe(true);
  });

  it('is not where two took the last unit', () => {
    expect(isLinearizable(1, history(['took', 1, 0, 2], ['took', 1, 1, 3]))).toBe(false);
  });

  it('is not where somebody was refused while the unit lay there all the time', () => {
    expect(isLinearizable(1, history(['refused', 1, 0, 1], ['took', 1, 2, 3]))).toBe(false);
    expect(isLinearizable(1, history(['took', 1, 0, 1], ['gave', 1, 2, 3], ['refused', 1, 4, 5]))).toBe(
      false,
    );
  });

  it('is where the refusal overlaps the moment in which the unit was away', () => {
    expect(isLinearizable(1, history(['refused', 1, 0, 4], ['took', 1, 1, 2], ['gave', 1, 3, 5]))).toBe(true);
  });

  it('is found although what was answered first has to come last', () => {
    const rows: Row[] = [
      ['took', 2, 0, 1],
      ['took', 1, 2, 6],
      ['gave', 2, 3, 9],
      ['refused', 2, 4, 10],
      ['took', 1, 5, 8],
    ];
    expect(isLinearizable(2, history(...rows))).toBe(true);
  });

  it('is not where more came back than was there', () => {
    expect(isLinearizable(1, history(['gave', 1, 0, 1]))).toBe(false);
  });

  it('is judged as by trying every order', () => {
    const operation = fc.record({
      kind: fc.constantFrom('took' as const, 'refused' as const, 'gave' as const),
      quantity: fc.integer({ min: 1, max: 2 }),
      calledAt: fc.integer({ min: 0, max: 12 }),
      lasts: fc.integer({ min: 0, max: 8 }),
    });
    const histories = fc.array(operation, { minLength: 1, maxLength: 6 }).map(rows =>
      // No two instants are the same.
      rows.map(({ kind, quantity, calledAt, lasts }, index) => ({
        kind,
        quantity,
        calledAt: calledAt + index / 100,
        answeredAt: calledAt + lasts + 0.5 + index / 100,
      })),
    );
    fc.assert(
      fc.property(histories, fc.integer({ min: 1, max: 3 }), (rows, total) => {
        expect(isLinearizable(total, rows)).toBe(byEveryOrder({ total, available: total, rows }));
      }),
      { numRuns: 500 },
    );
  });
});

function byEveryOrder(state: { total: number; available: number; rows: readonly StockOperation[] }): boolean {
  const { total, available, rows } = state;
  if (rows.length === 0) return true;
  return rows.some((row, index) => {
    if (rows.some(other => other !== row && other.answeredAt < row.calledAt)) return false;
    const next =
      row.kind === 'took'
        ? available - row.quantity
        : row.kind === 'gave'
          ? available + row.quantity
          : available;
    if (row.kind === 'refused' ? available < row.quantity : next >= 0 && next <= total) {
      return byEveryOrder({ total, available: next, rows: rows.toSpliced(index, 1) });
    }
    return false;
  });
}
