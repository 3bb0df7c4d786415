// A price that falls over time: properties of the schedule, and what the audit says of an order that was charged another.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { priceAt } from '../../client/index.ts';
import {
  fallenTo,
  fallingProblem,
  nextStepAfter,
  priceStepsOf,
  stepsCountOf,
  type FallingSchedule,
  type PriceStep,
} from '../../server/pricing/falling-price.rules.ts';
import { findingsOf, nowMs, order, wholeBooks } from '../support/audit-books.ts';

const opensAtMs = 1_800_000_000_000;
const bounds = { leastAmount: 50, roundingStep: 1, betweenMs: 1_000, fromMs: opensAtMs };

/** Sound ones, of both kinds. */
const schedules: fc.Arbitrary<{ startAmount: number; schedule: FallingSchedule }> = fc.oneof(
  fc
    .record({
      startAmount: fc.integer({ min: 51, max: 99_999_999 }),
      share: fc.double({ min: 0, max: 0.999, noNaN: true }),
      stepsCount: fc.integer({ min: 1, max: 100 }),
      everyMs: fc.integer({ min: 1_000, max: 86_400_000 }),
    })
    .map(({ startAmount, share, stepsCount, everyMs }) => {
      const floorAmount = Math.min(startAmount - 1, 50 + Math.floor((startAmount - 50) * share));
      const stepAmount = Math.max(1, Math.ceil((startAmount - floorAmount) / stepsCount));
      return { startAmount, schedule: { floorAmount, stepAmount, everyMs } };
    }),
  fc
    .record({
      amounts: fc.uniqueArray(fc.integer({ min: 50, max: 99_999 }), { minLength: 2, maxLength: 30 }),
      gaps: fc.array(fc.integer({ min: 1_000, max: 3_600_000 }), { minLength: 30, maxLength: 30 }),
    })
    .map(({ amounts, gaps }) => {
      const [startAmount = 0, ...fallen] = amounts.toSorted((a, b) => b - a);
      let afterMs = 0;
      const steps = fallen.map((amount, index) => {
        afterMs += gaps[index] ?? 1_000;
        return { afterMs, amount };
      });
      return { startAmount, schedule: { steps } };
    }),
);

function holdsOf(at: (start: number, steps: readonly PriceStep[], atMs: number) => number): void {
  fc.assert(
    fc.property(
      schedules,
      fc.array(fc.integer({ min: -100_000, max: 200_000_000 }), { minLength: 2, maxLength: 20 }),
      ({ startAmount, schedule }, offsets) => {
        const steps = priceStepsOf(schedule, { startAmount, opensAtMs });
        expect(fallingProblem(steps, { ...bounds, startAmount })).toBeNull();
        expect(steps).toHaveLength(stepsCountOf(schedule, startAmount));
        const floor = steps.at(-1)?.amount ?? startAmount;
        expect('floorAmount' in schedule ? schedule.floorAmount : floor).toBe(floor);
        const instants = [...offsets.map(offset => opensAtMs + offset), ...steps.map(step => step.atMs)];
        let before = startAmount;
        for (const atMs of instants.toSorted((a, b) => a - b)) {
          const amount = at(startAmount, steps, atMs);
          expect(amount).toBeLessThanOrEqual(before);
          expect(amount).toBeGreaterThanOrEqual(floor);
          before = amount;
        }
        expect(at(startAmount, steps, opensAtMs)).toBe(startAmount);
        for (const step of steps) {
          // To the millisecond: the old price just before, the new one at the instant itself.
          expect(at(startAmount, steps, step.atMs)).toBe(step.amount);
          expect(at(startAmount, steps, step.atMs - 1)).toBeGreaterThan(step.amount);
          expect(nextStepAfter(steps, step.atMs - 1)).toEqual(step);
        }
        expect(at(startAmount, steps, Number.MAX_SAFE_INTEGER)).toBe(floor);
        expect(nextStepAfter(steps, Number.MAX_SAFE_INTEGER)).toBeNull();
      },
    ),
    { numRuns: 300 },
  );
}

describe('a falling price', () => {
  it('never rises, falls at its instants to the millisecond, and ends at its floor', () => {
    expect(() => holdsOf(fallenTo)).not.toThrow();
  });

  it('would be seen to be taken one step late, or to rise again: the control', () => {
    expect(() =>
      holdsOf((start, steps, atMs) => steps.findLast(step => step.atMs < atMs)?.amount ?? start),
    ).toThrow('Property failed');
    expect(() =>
      holdsOf((start, steps, atMs) => steps.find(step => step.atMs >= atMs)?.amount ?? start),
    ).toThrow('Property failed');
  });

  it('is the same on the page as in the engine, at every instant', () => {
    const money = (amount: number) => ({ amount, currency: 'EUR' });
    fc.assert(
      fc.property(schedules, fc.integer({ min: -100_000, max: 200_000_000 }), (given, offset) => {
        const { startAmount, schedule } = given;
        const steps = priceStepsOf(schedule, { startAmount, opensAtMs });
        const falling = {
          startPrice: money(startAmount),
          floor: money(steps.at(-1)?.amount ?? 0),
          steps: steps.map(step => ({ atMs: step.atMs, price: money(step.amount) })),
        };
        const atMs = opensAtMs + offset;
        const shown = priceAt({ price: money(1), falling }, atMs);
        expect(shown.price.amount).toBe(fallenTo(startAmount, steps, atMs));
        expect(shown.next?.atMs).toBe(nextStepAfter(steps, atMs)?.atMs);
      }),
    );
    expect(priceAt({ price: money(7) }, 0)).toEqual({ price: money(7), next: null });
  });

  it.each([
    ['that rises', [1_000, 900, 950], /lower than the one before/],
    ['that stays', [1_000, 900, 900], /lower than the one before/],
    ['that begins above its start', [1_000, 1_100], /lower than the one before/],
    ['whose floor nobody can pay', [1_000, 49], /at least 50 minor units/],
    ['without a step', [1_000], /at least once/],
  ])('is refused %s', (_what, [startAmount = 0, ...amounts], problem) => {
    const steps = amounts.map((amount, index) => ({ atMs: opensAtMs + (index + 1) * 1_000, amount }));
    expect(fallingProblem(steps, { ...bounds, startAmount })).toMatch(problem);
  });

  it('is refused with steps closer than a second, and in parts of a unit that no card can pay', () => {
    const step = { atMs: opensAtMs + 999, amount: 900 };
    expect(fallingProblem([step], { ...bounds, startAmount: 1_000 })).toMatch(/at least 1000 ms/);
    const dinar = { ...bounds, startAmount: 1_000, roundingStep: 10 };
    expect(fallingProblem([{ atMs: opensAtMs + 1_000, amount: 905 }], dinar)).toMatch(/multiple of 10/);
  });
});

describe('the audit', () => {
  const steps = [
    { atMs: nowMs - 60_000, amount: 1_200 },
    { atMs: nowMs - 40_000, amount: 1_000 },
    { atMs: nowMs - 20_000, amount: 800 },
  ];
  const falling = new Map([['a', { startAmount: 1_500, steps }]]);
  const charged = (change: Parameters<typeof order>[0]) =>
    findingsOf(wholeBooks({ falling, orders: [order(change)] }));

  it('finds an order in order that was charged what its instant asked, also with a group’s price', async () => {
    expect(await charged({ pricedAtMs: nowMs - 35_000 })).toEqual([]);
    const lines = [{ sku: 'a', quantity: 1, unitAmount: 950, listAmount: 1_000 }];
    expect(await charged({ pricedAtMs: nowMs - 35_000, lines })).toEqual([]);
  });

  it('names a price that was not that of its instant, of no instant, or of one that had not come', async () => {
    expect(await charged({ pricedAtMs: nowMs - 45_000 })).toEqual([
      expect.stringMatching(/^3 ord_hold-1: was charged 1000 for a, which cost 1200 at /),
    ]);
    expect(await charged({})).toEqual([expect.stringMatching(/does not say of which instant/)]);
    const lines = [{ sku: 'a', quantity: 1, unitAmount: 800 }];
    expect(await charged({ pricedAtMs: nowMs - 10_000, lines })).toEqual([
      expect.stringMatching(/was made before the instant/),
    ]);
  });
});
