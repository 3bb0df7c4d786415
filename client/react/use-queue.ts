// A visitor's way through one drop's queue. The ticket is the caller's to keep (over a reload, for one): what is given
// in is taken up, and `onTicket` tells each new one.
import { useCallback, useEffect, useRef, useState } from 'react';
import {
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
}

export interface QueueOptions {
  readonly dropId: string;
  /** From before, as `onTicket` gave it. */
  readonly ticket?: Ticket | null;
  /** Told of a ticket to keep. */
  readonly onTicket?: (ticket: Ticket) => void;
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

export function useQueue(options: QueueOptions): LiveQueue {
  const { dropId, onTicket } = options;
  const { client, drops, tickets } = useShared();
  const [own, setOwn] = useState<{ dropId: string; ticket: Ticket } | null>(null);
  const [refusal, setRefusal] = useState<LiveQueue['refusal']>(null);
  const [failure, setFailure] = useState<unknown>(null);
  const [isBusy, setIsBusy] = useState(false);
  // Joined here for this drop, or brought along.
  const ticket = own?.dropId === dropId ? own.ticket : (options.ticket ?? null);
  const sealed = ticket?.ticket ?? null;
  const { value: status, error } = useFeed(tickets(sealed));
  const { value: drop } = useFeed(drops(sealed === null ? null : dropId));

  const telling = useRef(onTicket);
  useEffect(() => {
    telling.current = onTicket;
  });
  const run = useCallback((act: () => Promise<void>) => {
    setIsBusy(true);
    setFailure(null);
    act()
      .catch((thrown: unknown) => setFailure(thrown))
      .finally(() => setIsBusy(false));
  }, []);

  const join = useCallback(
    (code?: string) => {
      const nonce = randomNonce();
      run(async () => {
        const entry = { dropId, nonce, ...(code === undefined ? {} : { code }) };
        const outcome = await joinThroughGate(client.api, entry);
        setRefusal(outcome.kind === 'joined' ? null : outcome.kind);
        if (outcome.kind !== 'joined') return;
        const { ticket: text, lane, arrival } = outcome;
        setOwn({ dropId, ticket: { ticket: text, lane, arrival } });
        telling.current?.({ ticket: text, lane, arrival });
      });
    },
    [client, dropId, run],
  );
  const leave = useCallback(() => {
    if (sealed === null) return;
    run(async () => void (await withRetries(() => client.api.queue.leave.mutate({ ticket: sealed }))));
  }, [client, sealed, run]);

  return {
    ticket,
    status,
    place: ticket !== null && drop !== null ? client.placeOf(ticket, drop) : null,
    refusal,
    error: failure ?? error,
    isBusy,
    join,
    leave,
  };
}
