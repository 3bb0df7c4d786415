// Tickets and passes as buyers carry them: sealed, so that they need no look-up and survive whatever Redis forgets.
import { z } from 'zod';
import { lobbyRanks } from '../../client/fairness/permutation.ts';
import { lanes, type Lane, type Ticket } from '../drops/drop.ts';
import type { DropView } from '../drops/drop-view.ts';
import { buyerIdSchema, dropIdSchema, type BuyerId, type DropId } from '../ids.ts';

export const ticketSchema: z.ZodType<Ticket> = z.object({
  dropId: dropIdSchema,
  lane: z.enum(lanes),
  arrival: z.int().min(0),
  buyerId: buyerIdSchema,
});

/** The right to check out. Its expiry names it: a buyer has one pass in a drop at a time. */
export interface Pass {
  readonly dropId: DropId;
  readonly buyerId: BuyerId;
  readonly expiresAtMs: number;
}

export const passSchema: z.ZodType<Pass> = z.object({
  dropId: dropIdSchema,
  buyerId: buyerIdSchema,
  expiresAtMs: z.int(),
});

type RankOf = (arrival: number) => number;

/** The ranks of a drop's lanes. Made once for each key and lobby size, since deriving a lane's key takes longer than a rank. */
export function createRanks(): (view: DropView, lane: Lane) => RankOf | null {
  const made = new Map<string, RankOf>();
  return (view, laneName) => {
    const lane = view.lanes.find(candidate => candidate.lane === laneName);
    if (!lane) return null;
    if (view.state === 'scheduled' || view.state === 'lobby') return null;
    if (lane.lobbySize === 0) return arrival => arrival;
    // A drop that was paused in its lobby has a frozen size, perhaps, but no key yet: nobody has a rank.
    if (!view.key) return null;
    const name = `${view.dropId}/${laneName}/${lane.lobbySize}/${view.key}`;
    let rankOf = made.get(name);
    if (!rankOf) {
      rankOf = lobbyRanks({ key: view.key, lane: laneName, size: lane.lobbySize });
      made.set(name, rankOf);
      const oldest = made.size > 1_000 ? made.keys().next().value : undefined;
      if (oldest !== undefined) made.delete(oldest);
    }
    return rankOf;
  };
}
