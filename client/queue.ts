// A buyer's way through the queue: join once, keep the ticket, hear of every change until there is a pass or an end.
import { joinThroughGate } from './bot-gate.ts';
import { failureOf } from './failure.ts';
import type { RetryOptions } from './retry.ts';
import { followForGood } from './subscription.ts';
import type { Api, JoinOutcome, TicketStatus } from './types.ts';

export type QueueStep = JoinOutcome | TicketStatus;

export interface WaitOptions {
  readonly dropId: string;
  /** For the priority lane. */
  readonly code?: string;
  /** A ticket from before, as after a page reload: nothing is joined as long as it is good. */
  readonly ticket?: string;
  /** `called` (the default): ends with the pass. `end`: goes on while shopping, to the ticket's own end. */
  readonly until?: 'called' | 'end';
  readonly signal?: AbortSignal;
  /** How long joining is tried while the server cannot be reached; five minutes by default. */
  readonly joinWithinMs?: number;
  readonly onRetry?: RetryOptions['onRetry'];
}

const finalKinds: ReadonlySet<QueueStep['kind']> = new Set([
  'missed',
  'done',
  'left',
  'sold-out',
  'closed',
  'lost-draw',
  'not-yet',
  'bad-code',
  'proof-required',
] as const);

/** A place in the queue is worth waiting for: longer than other calls, this one is tried again. */
const joinWithinMsDefault = 5 * 60_000;
/** A server that lost its memory may not know a ticket any more; joining again gives the buyer a place. */
const rejoinsCount = 5;

/** Joins, then yields each change of the ticket's status. The last one yielded is the pass, or how it ended. */
export async function* joinAndWait(
  deps: { api: Api; onUnauthorized: () => void },
  options: WaitOptions,
): AsyncGenerator<QueueStep, void, void> {
  const { dropId, code, until = 'called', signal, onRetry, joinWithinMs = joinWithinMsDefault } = options;
  const { api, onUnauthorized } = deps;
  const nonce = randomNonce();
  let ticket = options.ticket;
  for (let joins = 0; ; ) {
    if (ticket === undefined) {
      const joined: JoinOutcome = await joinThroughGate(
        api,
        { dropId, nonce, ...(code === undefined ? {} : { code }) },
        { withinMs: joinWithinMs, ...(signal ? { signal } : {}), ...(onRetry ? { onRetry } : {}) },
      );
      joins += 1;
      yield joined;
      if (joined.kind !== 'joined') return;
      ticket = joined.ticket;
    }
    try {
      for await (const status of watchTicket({ api, onUnauthorized }, { ticket, signal })) {
        yield status;
        if (finalKinds.has(status.kind) || (until === 'called' && status.kind === 'called')) return;
      }
      return;
    } catch (error) {
      const failure = failureOf(error);
      if (failure.code !== 'NOT_FOUND' || joins >= rejoinsCount) throw error;
      onRetry?.(failure, error);
      ticket = undefined;
    }
  }
}

/** The ticket's status now, and each change; a new ticket replaces the old one by itself. */
export async function* watchTicket(
  deps: { api: Api; onUnauthorized: () => void },
  options: { ticket: string; signal?: AbortSignal | undefined },
): AsyncGenerator<TicketStatus, void, void> {
  const { signal } = options;
  let ticket: string | undefined = options.ticket;
  while (ticket !== undefined) {
    const watched: string = ticket;
    ticket = undefined;
    const events = followForGood<{ data: TicketStatus }>(
      handlers => deps.api.queue.watch.subscribe({ ticket: watched }, handlers),
      { signal, keep: 'all', onUnauthorized: deps.onUnauthorized },
    );
    for await (const { data } of events) {
      yield data;
      if (data.kind === 'waiting' && data.ticket !== undefined && data.ticket !== watched) {
        ticket = data.ticket;
        break;
      }
    }
  }
}

/** 16 random bytes in base64url: what makes this ticket's leaf in the fairness proof unguessable. */
export function randomNonce(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '');
}
