// Which drop stands in front: what can be bought, or will be soon.
import type { Drop, DropState } from '../engine/types.ts';

const order: Record<DropState, number> = {
  open: 0,
  paused: 1,
  lobby: 2,
  scheduled: 3,
  'sold-out': 4,
  closed: 5,
};

export function isOver(state: DropState): boolean {
  return state === 'sold-out' || state === 'closed';
}

/** What can be bought first, then what can be soon, then what is over. */
export function byUrgency(drops: readonly Drop[]): readonly Drop[] {
  return drops.toSorted((one, other) => {
    const byState = order[one.state] - order[other.state];
    if (byState !== 0) return byState;
    // Of those to come the soonest, of those that are over the latest.
    return isOver(one.state) ? other.opensAtMs - one.opensAtMs : one.opensAtMs - other.opensAtMs;
  });
}
