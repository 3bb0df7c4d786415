// This browser's ticket in one drop: the hook's, kept over a reload and shared with the browser's other tabs.
import { useCallback, useEffect, useState } from 'react';
import { randomNonce } from '../../index.ts';
import { useQueue, type LiveQueue, type Ticket } from '../../react/index.ts';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import { keepTicket, keptSession, keptTicket, nonceFor, onOtherTicket } from '../engine/kept.ts';

export interface PlaceHandle extends Omit<LiveQueue, 'error'> {
  /** What did not work, as a sentence that says what to do. */
  readonly problem: string | null;
}

export function usePlace(dropId: string): PlaceHandle {
  const { buyerId } = useEngine();
  const [kept, setKept] = useState<Ticket | null>(() => keptTicket(dropId));
  const [nonce] = useState(() => nonceFor(dropId, randomNonce));
  const onTicket = useCallback(
    (ticket: Ticket | null) => {
      setKept(ticket);
      if (ticket) {
        keepTicket(dropId, ticket);
        return;
      }
      // A ticket that this tab's buyer does not own may be that of another tab's.
      const forget = async () => {
        if ((await buyerId()) === keptSession()?.buyerId) keepTicket(dropId, null);
      };
      // Not told whose it is, nothing is forgotten: the next visit asks again.
      forget().catch(() => undefined);
    },
    [buyerId, dropId],
  );
  useEffect(() => {
    const look = () => {
      const found = keptTicket(dropId);
      setKept(known => (known?.ticket === found?.ticket ? known : found));
    };
    // It may have come between the first look and this one.
    look();
    return onOtherTicket(dropId, look);
  }, [dropId]);
  const { error, ...queue } = useQueue({ dropId, ticket: kept, nonce, onTicket });
  return { ...queue, problem: error === null ? null : explainFailure(error) };
}
