// This browser's ticket in one drop: joining, keeping it over a reload, hearing of its turn, giving it up.
import { useCallback, useEffect, useState } from 'react';
import { failureOf, joinThroughGate, randomNonce, withRetries } from '../../index.ts';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import { keepTicket, keptTicket, type KeptTicket } from '../engine/kept.ts';
import type { JoinOutcome, TicketStatus } from '../engine/types.ts';

export interface TicketHandle {
  readonly ticket: KeptTicket | null;
  /** Null until the server has said how the ticket stands. */
  readonly status: TicketStatus | null;
  /** Why joining did not give a ticket. */
  readonly refusal: Exclude<JoinOutcome['kind'], 'joined'> | null;
  readonly problem: string | null;
  readonly isBusy: boolean;
  readonly join: () => void;
  readonly leave: () => void;
}

/** Joining waits this long for an engine that is away, then says so. */
const joinWithinMs = 20_000;

export function useTicket(dropId: string): TicketHandle {
  const engine = useEngine();
  const [ticket, setTicket] = useState<KeptTicket | null>(() => keptTicket(dropId));
  const [status, setStatus] = useState<TicketStatus | null>(null);
  const [refusal, setRefusal] = useState<TicketHandle['refusal']>(null);
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);

  const take = useCallback(
    (next: KeptTicket | null) => {
      keepTicket(dropId, next);
      setTicket(next);
    },
    [dropId],
  );

  const sealed = ticket?.ticket;
  useEffect(() => {
    setStatus(null);
    if (sealed === undefined) return undefined;
    return engine.watchTicket(
      sealed,
      next => {
        setProblem(null);
        setStatus(next);
      },
      error => {
        // The ticket of a session that is gone: whoever uses this browser now may join anew.
        if (failureOf(error).code === 'NOT_FOUND') take(null);
        else setProblem(explainFailure(error));
      },
    );
  }, [engine, sealed, take]);

  const run = useCallback(async (act: () => Promise<void>) => {
    setIsBusy(true);
    setProblem(null);
    try {
      await act();
    } catch (error) {
      setProblem(explainFailure(error));
    } finally {
      setIsBusy(false);
    }
  }, []);

  const join = useCallback(() => {
    const nonce = randomNonce();
    void run(async () => {
      const outcome = await joinThroughGate(engine.api, { dropId, nonce }, { withinMs: joinWithinMs });
      if (outcome.kind !== 'joined') {
        setRefusal(outcome.kind);
        return;
      }
      setRefusal(null);
      const { ticket: text, lane, arrival } = outcome;
      take({ ticket: text, lane, arrival });
    });
  }, [engine, dropId, run, take]);

  const leave = useCallback(() => {
    if (sealed === undefined) return;
    void run(async () => {
      setStatus(await withRetries(() => engine.api.queue.leave.mutate({ ticket: sealed })));
    });
  }, [engine, sealed, run]);

  return { ticket, status, refusal, problem, isBusy, join, leave };
}
