// The queue as a buyer meets it. A ticket's life: waiting → called → shopping → done | left | missed; what moves it:
//
//   waiting   its rank is called: the next look of its owner, or their open subscription, claims the call
//   called    claimed within the window: shopping, with a pass; otherwise missed
//   missed    its owner's return gives it a place in the late lane, with a new ticket; missed again, it ends
//   shopping  a paid order: done; the pass lapses without a live hold, or the buyer leaves: left
//
// Nothing is computed or sent for each waiting buyer: a process knows the ranks of its own sockets, and wakes those
// that `serving` has just passed.
import { ticketLeaf } from '../../client/fairness/commitments.ts';
import { PublicError } from '../errors.ts';
import type { BuyerId, DropId } from '../ids.ts';
import type { CodeHashes } from '../drops/codes.ts';
import type { Drop, Ticket } from '../drops/drop.ts';
import type { DropFeed, DropFeeds, FeedEvent } from '../drops/feeds.ts';
import type { DropView } from '../drops/drop-view.ts';
import type { Sealer } from '../platform/seal.ts';
import { etaOf } from './eta.rules.ts';
import type { ClaimOutcome, Moved, QueueStore } from './queue.store.ts';
import { createRanks, type Pass } from './tickets.ts';

export type TicketStatus =
  | { kind: 'lobby'; opensAtMs: number }
  | { kind: 'waiting'; lane: string; rank: number; etaMs?: [number, number]; ticket?: string }
  | { kind: 'called'; pass: string; expiresAtMs: number }
  | { kind: 'missed' | 'done' | 'left' | 'sold-out' | 'closed' | 'lost-draw' };

export interface Queue {
  /** The nonce, of the buyer's own, hides the ticket among the leaves of the proof; the first one counts. */
  join(
    buyerId: BuyerId,
    drop: Drop,
    entry: { nonce: string; code?: string | undefined; mayEnter: boolean },
  ): Promise<
    /** `again`: the buyer had a ticket already. */
    | { kind: 'joined'; ticket: string; lane: string; arrival: number; again: boolean }
    | { kind: 'not-yet' | 'closed' | 'sold-out' | 'bad-code' | 'proof-required' }
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

/** A ticket as it stands, which may be a newer one than the buyer came with. */
interface Standing {
  readonly ticket: Ticket;
  readonly status: TicketStatus;
}

/** A shopper's pass can end by time, by an order or by leaving: their status is looked at again this often. */
const shopperLookMs = 2_000;

export function createQueue(options: {
  store: QueueStore;
  feeds: DropFeeds;
  codes: CodeHashes;
  findDrop: (dropId: DropId) => Promise<Drop | null>;
  tickets: Sealer<Ticket>;
  passes: Sealer<Pass>;
}): Queue {
  const { store, feeds, codes, findDrop, tickets, passes } = options;
  const ranks = createRanks();
  const callBoards = new WeakMap<DropFeed, CallBoard>();

  const openTicket = (buyerId: BuyerId, text: string): Ticket => {
    const ticket = tickets.open(text);
    if (!ticket || ticket.buyerId !== buyerId) throw new PublicError('not-found', 'There is no such ticket');
    return ticket;
  };
  const rankOf = (view: DropView, ticket: Ticket): number | null =>
    ranks(view, ticket.lane)?.(ticket.arrival) ?? null;

  /** Does what is asked for the ticket that stands now: a buyer may come with an older one. */
  const settleTicket = async <Outcome extends { kind: string }>(
    given: Ticket,
    view: DropView,
    act: (ticket: Ticket, rank: number | null) => Promise<Outcome | Moved>,
  ): Promise<{ ticket: Ticket; rank: number | null; outcome: Outcome }> => {
    let ticket = given;
    // A ticket moves once in its life, so that the second answer stands; one more allows for a race.
    for (let tries = 0; tries < 3; tries += 1) {
      const rank = rankOf(view, ticket);
      const outcome = await act(ticket, rank);
      if (!isMoved(outcome)) return { ticket, rank, outcome };
      ticket = { ...ticket, lane: outcome.lane, arrival: outcome.arrival };
    }
    throw new Error('a ticket moved more often than it can');
  };
  const claim = (given: Ticket, view: DropView) =>
    settleTicket<Exclude<ClaimOutcome, Moved>>(given, view, ({ dropId, buyerId, lane, arrival }, rank) =>
      store.claim(dropId, buyerId, { lane, arrival, rank }),
    );
  const statusOf = async (given: Ticket, view: DropView, drop: Drop): Promise<Standing> => {
    const { ticket, rank, outcome } = await claim(given, view);
    const over = endOf(view, drop);
    const replaced = ticket === given ? {} : { ticket: tickets.seal(ticket) };
    const statusFrom = (): TicketStatus => {
      switch (outcome.kind) {
        case 'unknown':
          throw new PublicError('not-found', 'There is no such ticket');
        case 'done':
        case 'left':
          return { kind: outcome.kind };
        case 'missed':
          return { kind: over ?? 'missed' };
        case 'called': {
          if (over) return { kind: over };
          const { dropId, buyerId } = ticket;
          const { expiresAtMs } = outcome;
          return { kind: 'called', pass: passes.seal({ dropId, buyerId, expiresAtMs }), expiresAtMs };
        }
        case 'waiting': {
          if (over) return { kind: over };
          if (rank === null) return { kind: 'lobby', opensAtMs: view.opensAtMs };
          const etaMs = etaOf(view, ticket.lane, rank);
          return { kind: 'waiting', lane: ticket.lane, rank, ...(etaMs ? { etaMs } : {}), ...replaced };
        }
      }
    };
    return { ticket, status: statusFrom() };
  };
  const need = async (dropId: DropId): Promise<{ view: DropView; drop: Drop }> => {
    const [view, drop] = await Promise.all([feeds.look(dropId), findDrop(dropId)]);
    if (!drop) throw new PublicError('not-found', 'There is no such drop');
    if (!view)
      throw new PublicError('unavailable', 'The drop is not loaded yet: try again', { retryAfterMs: 1_000 });
    return { view, drop };
  };

  return {
    async join(buyerId, drop, { nonce, code, mayEnter }) {
      const { dropId } = drop;
      const joined = await store.join(dropId, buyerId, {
        codes: code === undefined ? [] : codes.candidates(dropId, code),
        leaf: ticketLeaf({ dropId, buyerId, nonce }),
        mayEnter,
      });
      if (joined.kind === 'missing') {
        throw new PublicError('unavailable', 'The drop is not loaded yet: try again', {
          retryAfterMs: 1_000,
        });
      }
      if (joined.kind !== 'joined') return { kind: joined.kind };
      let ticket: Ticket = { dropId, lane: joined.lane, arrival: joined.arrival, buyerId };
      if (joined.again) {
        // Who returns may have missed their call meanwhile, and then stands elsewhere now.
        const { view } = await need(dropId);
        ({ ticket } = await claim(ticket, view));
      }
      const { lane, arrival } = ticket;
      return { kind: 'joined', lane, arrival, ticket: tickets.seal(ticket), again: joined.again };
    },

    async status(buyerId, text) {
      const ticket = openTicket(buyerId, text);
      const { view, drop } = await need(ticket.dropId);
      return (await statusOf(ticket, view, drop)).status;
    },

    async *watch(buyerId, text, signal) {
      let ticket = openTicket(buyerId, text);
      const { drop } = await need(ticket.dropId);
      const { feed, close } = await feeds.open(ticket.dropId);
      const board = callBoards.get(feed) ?? createCallBoard(feed);
      callBoards.set(feed, board);
      const place = board.stand(ticket.lane, rankOf(feed.latest.view, ticket));
      const onAbort = () => place.wake();
      signal?.addEventListener('abort', onAbort);
      try {
        let told: string | null = null;
        while (!signal?.aborted) {
          const { id, view } = feed.latest;
          // The place is taken before the status is looked up: a call in between wakes it.
          const rank = rankOf(view, ticket);
          place.move(ticket.lane, rank);
          // A crowd is told of the end at one instant: of those who wait uncalled, Redis has nothing more to say.
          const over: ReturnType<typeof endOf> =
            told === 'waiting' && !isCalled(view, ticket, rank) ? endOf(view, drop) : null;
          if (over) {
            told = over;
            yield { id: `${id}:${over}`, status: { kind: over } };
            await place.woken(null);
            continue;
          }
          const { status, ticket: standing } = await statusOf(ticket, view, drop);
          if (status.kind !== told || standing !== ticket) {
            told = status.kind;
            yield { id: `${id}:${status.kind}`, status };
          }
          if (standing !== ticket) {
            // A call of the new lane may have come before the place was taken there: look once more.
            ticket = standing;
            continue;
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
      const { outcome } = await settleTicket<{ kind: 'left' | 'done' | 'unknown' }>(
        ticket,
        view,
        ({ dropId, lane, arrival }, rank) => store.leave(dropId, buyerId, { lane, arrival, rank }),
      );
      if (outcome.kind === 'unknown') throw new PublicError('not-found', 'There is no such ticket');
    },
  };
}

/** How a drop's end looks to somebody who did not get a unit; null while there may still be one. */
function endOf(view: DropView, drop: Drop): 'sold-out' | 'closed' | 'lost-draw' | null {
  if (view.state !== 'closed' && view.state !== 'sold-out') return null;
  // A draw that was called off before its lots were drawn was not lost by anybody.
  return drop.mode === 'draw' && view.key ? 'lost-draw' : view.state;
}

/** Whether the ticket's turn has come; who was called may have more to hear than how the drop ended. */
function isCalled(view: DropView, { lane }: Ticket, rank: number | null): boolean {
  const serving = view.lanes.find(candidate => candidate.lane === lane)?.serving ?? 0;
  return rank !== null && rank < serving;
}

function isMoved(outcome: { kind: string }): outcome is Moved {
  return outcome.kind === 'moved';
}

interface Place {
  /** Resolves once there is a reason to look again; at the latest after `atMostMs`, where one is given. */
  woken(atMostMs: number | null): Promise<void>;
  wake(): void;
  move(lane: string, rank: number | null): void;
  leave(): void;
}

interface CallBoard {
  stand(lane: string, rank: number | null): Place;
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
    stand(lane, rank) {
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
        move(nextLane, next) {
          const nextSpot = next === null ? null : `${nextLane}/${next}`;
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
      place.move(lane, rank);
      return place;
    },
  };
}
