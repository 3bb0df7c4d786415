// What each buyer of a drill is going to do, decided before it starts, so that how many units are wanted is known
// whatever happens.
import type { Schedule } from './arrivals.ts';

/** Where a buyer may walk off: with a place, a pass, a unit, or in front of the card form. Each keeps something from others. */
export const leavingSteps = ['join', 'pass', 'hold', 'payment'] as const;
export type LeavingStep = (typeof leavingSteps)[number];

export interface BuyerPlan {
  readonly index: number;
  readonly arriveAfterMs: number;
  /**
   * `abandon`: walks off at the step `leavesAfter` without a word. `decline`: the first card is declined, the second is
   * good. `challenge`: the bank asks for 3-D Secure.
   */
  readonly intent: 'buy' | 'abandon' | 'decline' | 'challenge';
  readonly leavesAfter?: LeavingStep;
}

/** Shares of all buyers, 0 to 1, together at most 1. */
export interface BuyerShares {
  readonly abandonShare: number;
  readonly declineShare: number;
  readonly challengeShare: number;
}

export function planBuyers(
  options: BuyerShares & { schedule: Schedule; random?: () => number },
): BuyerPlan[] {
  const { schedule, abandonShare, declineShare, challengeShare, random = Math.random } = options;
  return schedule.arriveAfterMs.map((arriveAfterMs, index) => {
    const lot = random();
    const buyer = { index, arriveAfterMs };
    if (lot < abandonShare) {
      return {
        ...buyer,
        intent: 'abandon',
        leavesAfter: leavingSteps[index % leavingSteps.length] ?? 'hold',
      };
    }
    if (lot < abandonShare + declineShare) return { ...buyer, intent: 'decline' };
    if (lot < abandonShare + declineShare + challengeShare) return { ...buyer, intent: 'challenge' };
    return { ...buyer, intent: 'buy' };
  });
}
