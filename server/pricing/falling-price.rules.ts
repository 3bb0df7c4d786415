// A price that falls while a drop runs (a Dutch drop). Pure: the price at an instant follows from the schedule alone, so
// every process and every page that knows the schedule and the server's time says the same, and nothing need be sent.
//
// A schedule is written down as instants, not as offsets: they are counted from the opening that is announced, and move
// with it. Opening by hand, a pause and a late beacon do not move them.

/** From this instant on a unit costs so much, in minor units. */
export interface PriceStep {
  readonly atMs: number;
  readonly amount: number;
}

/** As a shop sets it up: equal steps down to a floor, or a list of its own. In minor units, times from the opening. */
export type FallingSchedule =
  | { readonly stepAmount: number; readonly everyMs: number; readonly floorAmount: number }
  | { readonly steps: readonly { readonly afterMs: number; readonly amount: number }[] };

/** What a unit costs at an instant: the start price before the first step, the last step's after it. */
export function fallenTo(startAmount: number, steps: readonly PriceStep[], atMs: number): number {
  return steps.findLast(step => step.atMs <= atMs)?.amount ?? startAmount;
}

/** The step that is still to come; null where the price is at its floor. */
export function nextStepAfter(steps: readonly PriceStep[], atMs: number): PriceStep | null {
  return steps.find(step => step.atMs > atMs) ?? null;
}

/** How many steps there would be: asked before any is made, so that a tiny step cannot fill the memory. */
export function stepsCountOf(schedule: FallingSchedule, startAmount: number): number {
  if ('steps' in schedule) return schedule.steps.length;
  return Math.max(0, Math.ceil((startAmount - schedule.floorAmount) / schedule.stepAmount));
}

/** The last of equal steps is as small as it must be to end on the floor. */
export function priceStepsOf(
  schedule: FallingSchedule,
  from: { startAmount: number; opensAtMs: number },
): PriceStep[] {
  const { startAmount, opensAtMs } = from;
  if ('steps' in schedule)
    return schedule.steps.map(({ afterMs, amount }) => ({ atMs: opensAtMs + afterMs, amount }));
  const { stepAmount, everyMs, floorAmount } = schedule;
  return Array.from({ length: stepsCountOf(schedule, startAmount) }, (_, index) => ({
    atMs: opensAtMs + (index + 1) * everyMs,
    amount: Math.max(floorAmount, startAmount - (index + 1) * stepAmount),
  }));
}

/** What is wrong with a schedule; null where it is sound. `roundingStep`: what the currency's amounts are rounded to. */
export function fallingProblem(
  steps: readonly PriceStep[],
  bounds: {
    startAmount: number;
    leastAmount: number;
    roundingStep: number;
    betweenMs: number;
    fromMs: number;
  },
): string | null {
  if (steps.length === 0) return 'the price must fall at least once, to something below what it starts at';
  let [amount, atMs] = [bounds.startAmount, bounds.fromMs];
  for (const step of steps) {
    if (step.amount >= amount)
      return 'each step must be lower than the one before, and than the price it starts at';
    if (step.atMs - atMs < bounds.betweenMs)
      return `each step must come at least ${bounds.betweenMs} ms after the one before, and after the opening`;
    if (step.amount % bounds.roundingStep !== 0)
      return `each step must be a multiple of ${bounds.roundingStep} minor units in this currency`;
    ({ amount, atMs } = step);
  }
  if (amount < bounds.leastAmount)
    return `the floor must be at least ${bounds.leastAmount} minor units: less cannot be paid`;
  return null;
}
