// The queue as a buyer meets it. A ticket's life: waiting → called → shopping → done | left | missed; what moves it:
//
//   waiting   its rank is called: the next look of its owner, or their open subscription, claims the call
//   called    claimed within the window: shopping, with a pass; otherwise missed
//   shopping  a paid order: done; the pass lapses without a live hold, or the buyer leaves: left
//
// Nothing is computed or sent for each waiting buyer: a process knows the ranks of its own sockets, and wakes those
// that `serving` has just passed.
import { ticketLeaf } from '../../client/fairness/commitments.ts';
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId } from '../ids.ts';
import type { Drop, Ticket } from '../drops/drop.ts';
import type { DropFeed, DropFeeds, FeedEvent } from '../drops/feeds.ts';
import type { DropView } from '../drops/drop-view.ts';
import type { Sealer } from '../platform/seal.ts';
import type { QueueStore } from './queue.store.ts';
import { createRanks, type Pass } from './tickets.ts';

export type TicketStatus =
  | { kind: 'lobby'; opensAtMs: number }
  | { kind: 'waiting'; lane: string; rank: number; etaMs?: [number, number] }
  | { kind: 'called'; pass: string; expiresAtMs: number }
  | { kind: 'missed' | 'done' | 'left' | 'sold-out' | 'closed' | 'lost-draw' };

export interface Queue {
  /** The nonce, of the buyer's own, hides the ticket among the leaves of the proof; the first one counts. */
  join(
    buyerId: BuyerId,
    drop: Drop,
    nonce: string,
  ): Promise<
    | { kind: 'joined'; ticket: string; lane: string; arrival: number }
    | { kind: 'not-yet' | 'closed' | 'sold-out' }
  >;
  /** How the ticket stands now; claims its call if it has one. Another's ticket is as absent as none. */
  status(buyerId: BuyerId, ticket: string): Promise<TicketStatus>;
  /** The status now, and each time that its kind changes. */
  watch(
    buyerId: BuyerId,
    ticket: string,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<{ id: string; status: TicketStatus }>;
  leave(buyerId: BuyerId, ticket: string): Promise<void>;
}

/** A shopper's pass can end by time, by an order or by leaving: their status is looked at again this often. */
const shopperLookMs = 2_000;

export function createQueue(options: {
  store: QueueStore;
  feeds: DropFeeds;
  findDrop: (dropId: DropId) => Promise<Drop | null>;
  tickets: Sealer<Ticket>;
  passes: Sealer<Pass>;
}): Queue {
  const { store, feeds, findDrop, tickets, passes } = options;
  const ranks = createRanks();
  const callBoards = new WeakMap<DropFeed, CallBoard>();

  const openTicket = (buyerId: BuyerId, text: string): Ticket => {
    const ticket = tickets.open(text);
    if (!ticket || ticket.buyerId !== buyerId) throw new PublicError('not-found', 'There is no such ticket');
    return ticket;
  };
  const rankOf = (view: DropView, ticket: Ticket): number | null =>
    ranks(view, ticket.lane)?.(ticket.arrival) ?? null;

  const statusOf = async (ticket: Ticket, view: DropView, drop: Drop): Promise<TicketStatus> => {
    const rank = rankOf(view, ticket);
    const claim = await store.claim(ticket.dropId, ticket.buyerId, rank);
    const over = endOf(view, drop);
    switch (claim.kind) {
      case 'unknown':
        throw new PublicError('not-found', 'There is no such ticket');
      case 'done':
      case 'left':
      case 'missed':
        return { kind: claim.kind };
      case 'called': {
        if (over) return { kind: over };
        const { dropId, buyerId } = ticket;
        const { expiresAtMs } = claim;
        return { kind: 'called', pass: passes.seal({ dropId, buyerId, expiresAtMs }), expiresAtMs };
      }
      case 'waiting': {
        if (over) return { kind: over };
        if (rank === null) return { kind: 'lobby', opensAtMs: view.opensAtMs };
        return { kind: 'waiting', lane: ticket.lane, rank, ...etaOf(view, ticket, rank) };
      }
    }
  };
  /** From the measured calling rate: a range, since the future is not the past. */
  const etaOf = (view: DropView, ticket: Ticket, rank: number): { etaMs?: [number, number] } => {
    const lane = view.lanes.find(candidate => candidate.lane === ticket.lane);
    if (!lane || view.state !== 'open' || view.ratePerSec <= 0) return {};
    const leastMs = (Math.max(0, rank - lane.serving + 1) * 1_000) / view.ratePerSec;
    // The set rate is the fastest that it can go; at half of it, twice the time.
    return { etaMs: [Math.round(leastMs), Math.round(leastMs * 2)] };
  };
  const need = async (dropId: DropId): Promise<{ view: DropView; drop: Drop }> => {
    const [view, drop] = await Promise.all([feeds.look(dropId), findDrop(dropId)]);
    if (!drop) throw new PublicError('not-found', 'There is no such drop');
    if (!view)
      throw new PublicError('unavailable', 'The drop is not loaded yet: try again', { retryAfterMs: 1_000 });
    return { view, drop };
  };

  return {
    async join(buyerId, drop, nonce) {
      const leaf = ticketLeaf({ dropId: drop.dropId, buyerId, nonce });
      const joined = await store.join(drop.dropId, buyerId, leaf);
      if (joined.kind === 'missing') {
        throw new PublicError('unavailable', 'The drop is not loaded yet: try again', {
          retryAfterMs: 1_000,
        });
      }
      if (joined.kind !== 'joined') return { kind: joined.kind };
      const { kind, lane, arrival } = joined;
      return { kind, lane, arrival, ticket: tickets.seal({ dropId: drop.dropId, lane, arrival, buyerId }) };
    },

    async status(buyerId, text) {
      const ticket = openTicket(buyerId, text);
      const { view, drop } = await need(ticket.dropId);
      return statusOf(ticket, view, drop);
    },

    async *watch(buyerId, text, signal) {
      const ticket = openTicket(buyerId, text);
      const { drop } = await need(ticket.dropId);
      const { feed, close } = await feeds.open(ticket.dropId);
      const board = callBoards.get(feed) ?? createCallBoard(feed);
      callBoards.set(feed, board);
      const place = board.stand(rankOf(feed.latest.view, ticket), ticket.lane);
      const onAbort = () => place.wake();
      signal?.addEventListener('abort', onAbort);
      try {
        let told: string | null = null;
        while (!signal?.aborted) {
          const { id, view } = feed.latest;
          // The place is taken before the status is looked up: a call in between wakes it.
          place.move(rankOf(view, ticket));
          const status = await statusOf(ticket, view, drop);
          if (status.kind !== told) {
            told = status.kind;
            yield { id: `${id}:${status.kind}`, status };
          }
          await place.woken(status.kind === 'called' ? shopperLookMs : null);
        }
      } finally {
        signal?.removeEventListener('abort', onAbort);
        place.leave();
        close();
      }
    },

    async leave(buyerId, text) {
      const ticket = openTicket(buyerId, text);
      const { view } = await need(ticket.dropId);
      const left = await store.leave(ticket.dropId, buyerId, rankOf(view, ticket));
      if (left.kind === 'unknown') throw new PublicError('not-found', 'There is no such ticket');
    },
  };
}

/** How a drop's end looks to somebody who did not get a unit; null while there may still be one. */
function endOf(view: DropView, drop: Drop): 'sold-out' | 'closed' | 'lost-draw' | null {
  if (view.state === 'closed') return 'closed';
  if (view.state === 'sold-out') return drop.mode === 'draw' ? 'lost-draw' : 'sold-out';
  return null;
}

interface Place {
  /** Resolves once there is a reason to look again; at the latest after `atMostMs`, where one is given. */
  woken(atMostMs: number | null): Promise<void>;
  wake(): void;
  move(rank: number | null): void;
  leave(): void;
}

interface CallBoard {
  stand(rank: number | null, lane: string): Place;
}

/** Wakes the people of one process who wait for one drop: those whose rank is called, or all when its state changes. */
function createCallBoard(feed: DropFeed): CallBoard {
  const all = new Set<Place>();
  const byRank = new Map<string, Set<Place>>();
  let last: FeedEvent = feed.latest;
  feed.listen(event => {
    const before = last.view;
    last = event;
    if (event.view.state !== before.state || event.view.key !== before.key) {
      for (const place of all) place.wake();
      return;
    }
    for (const lane of event.view.lanes) {
      const served = before.lanes.find(candidate => candidate.lane === lane.lane)?.serving ?? 0;
      for (let rank = served; rank < lane.serving; rank += 1) {
        for (const place of byRank.get(`${lane.lane}/${rank}`) ?? []) place.wake();
      }
    }
  });
  return {
    stand(rank, lane) {
      let resolveWait: (() => void) | null = null;
      let woken = false;
      let spot: string | null = null;
      const place: Place = {
        wake() {
          woken = true;
          resolveWait?.();
        },
        async woken(atMostMs) {
          if (!woken) {
            let timer: NodeJS.Timeout | undefined;
            await new Promise<void>(resolve => {
              resolveWait = resolve;
              if (atMostMs !== null) timer = setTimeout(resolve, atMostMs);
            });
            clearTimeout(timer);
            resolveWait = null;
          }
          woken = false;
        },
        move(next) {
          const nextSpot = next === null ? null : `${lane}/${next}`;
          if (nextSpot === spot) return;
          unspot();
          spot = nextSpot;
          if (spot === null) return;
          const standing = byRank.get(spot) ?? new Set();
          byRank.set(spot, standing.add(place));
        },
        leave() {
          unspot();
          all.delete(place);
        },
      };
      const unspot = () => {
        if (spot === null) return;
        const standing = byRank.get(spot);
        standing?.delete(place);
        if (standing?.size === 0) byRank.delete(spot);
        spot = null;
      };
      all.add(place);
      place.move(rank);
      return place;
    },
  };
}
