// What each buyer of a drill is going to do, decided before it starts, so that how many units are wanted is known
// whatever happens.
import type { Schedule } from './arrivals.ts';

export interface BuyerPlan {
  readonly index: number;
  readonly arriveAfterMs: number;
  /** `abandon`: takes units and walks away. `decline`: pays with a card that is declined, and gives up. */
  readonly intent: 'buy' | 'abandon' | 'decline';
}

export function planBuyers(options: {
  schedule: Schedule;
  /** Shares of all buyers, 0 to 1. */
  abandonShare: number;
  declineShare: number;
  random?: () => number;
}): BuyerPlan[] {
  const { schedule, abandonShare, declineShare, random = Math.random } = options;
  return schedule.arriveAfterMs.map((arriveAfterMs, index) => {
    const lot = random();
    const intent = lot < abandonShare ? 'abandon' : lot < abandonShare + declineShare ? 'decline' : 'buy';
    return { index, arriveAfterMs, intent };
  });
}
