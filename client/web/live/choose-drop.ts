// Which drop stands in front. What can be bought or will be soon comes first; what a visitor looks at stays.
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

/** The drop to show first; null where there is none. */
export function foremost(drops: readonly Drop[]): Drop | null {
  const [first] = drops.toSorted((one, other) => {
    const byState = order[one.state] - order[other.state];
    if (byState !== 0) return byState;
    // Of those to come the soonest, of those that are over the latest.
    return isOver(one.state) ? other.opensAtMs - one.opensAtMs : one.opensAtMs - other.opensAtMs;
  });
  return first ?? null;
}

export interface Chosen {
  readonly dropId: string;
  /** Chosen by the visitor, or over already when the page chose it. */
  readonly by: 'visitor' | 'page' | 'page-when-over';
}

/** The choice after the list has changed: kept while it makes sense, so that nothing jumps away under one's hands. */
export function chooseDrop(drops: readonly Drop[], chosen: Chosen | null): Chosen | null {
  const kept = chosen !== null && drops.some(drop => drop.dropId === chosen.dropId) ? chosen : null;
  const best = foremost(drops);
  if (best === null) return kept;
  // Nobody waits for a drop that was over before they came.
  if (kept !== null && !(kept.by === 'page-when-over' && !isOver(best.state))) return kept;
  return { dropId: best.dropId, by: isOver(best.state) ? 'page-when-over' : 'page' };
}
