// Where a ticket stands, computed here: the server sends nothing for each buyer. `serving` is one number for each
// lane, the lobby's order is a keyed permutation whose key `drop.watch` publishes, and all else is arithmetic.
import { lobbyRanks } from './fairness/permutation.ts';
import type { DropWatch } from './types.ts';

export interface Place {
  /** Counted from 0. */
  readonly rank: number;
  /** How many are called before; 0 for who is called next, or has been called. */
  readonly ahead: number;
}

type RankOf = (arrival: number) => number;

/** Makes the function that places tickets. It remembers the last lobby's ranks, since making them is most of the work. */
export function createPlacing(): (
  ticket: { lane: string; arrival: number },
  watch: DropWatch,
) => Place | null {
  const made = new Map<string, RankOf>();
  return (ticket, watch) => {
    if (watch.state === 'scheduled' || watch.state === 'lobby') return null;
    const lane = watch.lanes.find(candidate => candidate.lane === ticket.lane);
    if (!lane) return null;
    if (lane.lobbySize > 0 && watch.key === undefined) return null;
    const name = `${lane.lane}/${lane.lobbySize}/${watch.key ?? ''}`;
    let rankOf = made.get(name);
    if (!rankOf) {
      rankOf =
        watch.key === undefined
          ? arrival => arrival
          : lobbyRanks({ key: watch.key, lane: lane.lane, size: lane.lobbySize });
      made.clear();
      made.set(name, rankOf);
    }
    const rank = rankOf(ticket.arrival);
    return { rank, ahead: Math.max(0, rank - lane.serving) };
  };
}
