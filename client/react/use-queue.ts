// A visitor's way through one drop's queue. The ticket is the caller's to keep (over a reload, for one): what is given
// in is taken up, and `onTicket` tells each new one.
import { useCallback, useEffect, useRef, useState } from 'react';
import {
  failureOf,
  joinThroughGate,
  randomNonce,
  withRetries,
  type JoinOutcome,
  type Place,
  type TicketStatus,
} from '../index.ts';
import { useShared } from './provider.ts';
import { useFeed } from './use-feed.ts';

export interface Ticket {
  readonly ticket: string;
  readonly lane: string;
  readonly arrival: number;
  /** What this buyer joined with: it shows that a leaf of the fairness proof is theirs. Keep it with the ticket. */
  readonly nonce?: string;
}

export interface QueueOptions {
  readonly dropId: string;
  /** From before, as `onTicket` gave it. */
  readonly ticket?: Ticket | null;
  /** To join with; a new one where it is missing. Kept beforehand, it is known even where the answer got lost. */
  readonly nonce?: string;
  /** Told of a ticket to keep, and null of one to forget: the server knows it no more, and one may join anew. */
  readonly onTicket?: (ticket: Ticket | null) => void;
}

export interface LiveQueue {
  readonly ticket: Ticket | null;
  /** How the ticket stands; null until the server has said so. */
  readonly status: TicketStatus | null;
  /** How many are before; null while nobody has a rank. */
  readonly place: Place | null;
  /** Why joining gave no ticket. */
  readonly refusal: Exclude<JoinOutcome['kind'], 'joined'> | null;
  readonly error: unknown;
  readonly isBusy: boolean;
  readonly join: (code?: string) => void;
  readonly leave: () => void;
}

/** Joined here, or given up for unknown, while the caller still brings what it brought. */
interface OwnTicket {
  readonly dropId: string;
  readonly insteadOf: string | null;
  readonly ticket: Ticket | null;
}

export function useQueue(options: QueueOptions): LiveQueue {
  const { dropId, onTicket, nonce: givenNonce } = options;
  const { client, drops, tickets } = useShared();
  const [own, setOwn] = useState<OwnTicket | null>(null);
  const [refusal, setRefusal] = useState<LiveQueue['refusal']>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  const brought = options.ticket ?? null;
  const broughtText = brought?.ticket ?? null;
  // What was found out here holds until another ticket is brought along: from another tab, for one.
  const ticket = own?.dropId === dropId && own.insteadOf === broughtText ? own.ticket : brought;
  const sealed = ticket?.ticket ?? null;
  const { value: watched, error } = useFeed(tickets(sealed));
  // Whoever gives up a place is told by the answer; the news of it may come later.
  const [left, setLeft] = useState<{ ticket: string; status: TicketStatus } | null>(null);
  const status = left !== null && left.ticket === sealed ? left.status : watched;
  const { value: drop } = useFeed(drops(sealed === null ? null : dropId));

  const telling = useRef(onTicket);
  useEffect(() => {
    telling.current = onTicket;
  });
  const isUnknown = error !== null && failureOf(error).code === 'NOT_FOUND';
  useEffect(() => {
    if (!isUnknown) return;
    setOwn({ dropId, insteadOf: broughtText, ticket: null });
    telling.current?.(null);
  }, [broughtText, dropId, isUnknown]);

  const run = useCallback((act: () => Promise<void>) => {
    setIsBusy(true);
    setFailure(null);
    act()
      .catch((thrown: unknown) => setFailure(thrown))
      .finally(() => setIsBusy(false));
  }, []);

  const join = useCallback(
    (code?: string) => {
      const nonce = givenNonce ?? randomNonce();
      run(async () => {
        const entry = { dropId, nonce, ...(code === undefined ? {} : { code }) };
        const outcome = await joinThroughGate(client.api, entry);
        setRefusal(outcome.kind === 'joined' ? null : outcome.kind);
        if (outcome.kind !== 'joined') return;
        const { ticket: text, lane, arrival } = outcome;
        setOwn({ dropId, insteadOf: broughtText, ticket: { ticket: text, lane, arrival, nonce } });
        telling.current?.({ ticket: text, lane, arrival, nonce });
      });
    },
    [broughtText, client, dropId, givenNonce, run],
  );
  const leave = useCallback(() => {
    if (sealed === null) return;
    run(async () => {
      const answer = await withRetries(() => client.api.queue.leave.mutate({ ticket: sealed }));
      setLeft({ ticket: sealed, status: answer });
    });
  }, [client, sealed, run]);

  return {
    ticket,
    status,
    place: ticket !== null && drop !== null ? client.placeOf(ticket, drop) : null,
    refusal,
    error: failure ?? (isUnknown ? null : error),
    isBusy,
    join,
    leave,
  };
}
