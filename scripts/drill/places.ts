// Whether every buyer kept their place: what each was told first of lane, arrival and rank must be what they are told
// ever after, over every reconnection and by whatever process answers. Who missed a call is given a new ticket in the
// late lane, and that is no change of place.

export interface Places {
  joined(buyer: number, ticket: { lane: string; arrival: number }): void;
  waits(buyer: number, place: { lane: string; rank: number }): void;
  /** Nobody answered for this buyer's ticket, or nobody knew it. */
  lost(buyer: number): void;
  counts(): PlaceCounts;
}

export interface PlaceCounts {
  /** Buyers whose rank was told. */
  readonly ranked: number;
  /** Times that a place was told again, and compared. */
  readonly comparisons: number;
  /** Buyers who were told of another place than before. */
  readonly moved: number;
  readonly lost: number;
}

export function createPlaces(): Places {
  const tickets = new Map<number, string>();
  const ranks = new Map<number, string>();
  const moved = new Set<number>();
  const lost = new Set<number>();
  let comparisons = 0;
  const hold = (first: Map<number, string>, buyer: number, told: string) => {
    const before = first.get(buyer);
    if (before === undefined) {
      first.set(buyer, told);
      return;
    }
    comparisons += 1;
    if (before !== told) moved.add(buyer);
  };
  return {
    joined(buyer, { lane, arrival }) {
      if (lane !== 'late') hold(tickets, buyer, `${lane}/${arrival}`);
    },
    waits(buyer, { lane, rank }) {
      if (lane !== 'late') hold(ranks, buyer, `${lane}/${rank}`);
    },
    lost: buyer => void lost.add(buyer),
    counts: () => ({ ranked: ranks.size, comparisons, moved: moved.size, lost: lost.size }),
  };
}
