import { lazy, Suspense, useEffect, useLayoutEffect } from 'react';
import { usePurchase } from '../checkout/use-purchase.ts';
import type { Drop, DropState, DropWatch } from '../engine/types.ts';
import { formatCount } from '../format/number.ts';
import { texts } from '../texts/texts.ts';
import { JoinForm } from './join-form.tsx';
import { LeaveButton } from './leave-button.tsx';
import { IsHere, useOwnPanel } from './own-panel.ts';
import { QueueNews } from './queue-news.tsx';
import { ShuffleExplained } from './shuffle-explained.tsx';
import { TicketCard } from './ticket-card.tsx';
import { TurnAlerts } from './turn-alerts.tsx';
import type { PlaceHandle } from './use-place.ts';
import { WaitingPlace } from './waiting-place.tsx';
import { useTurnAlert } from './your-turn.ts';

const loadCheckout = () => import('../checkout/checkout.tsx');
const Checkout = lazy(async () => ({ default: (await loadCheckout()).Checkout }));

/**
 * The visitor's own side of a drop: joining, waiting, buying. A purchase that has begun stands above the queue. On a phone
 * it stands first of all once there is something to follow in it: from the press that joins, not from its answer, which
 * would move the page under its reader.
 */
export function QueuePanel(props: { drop: Drop; watch: DropWatch | null; handle: PlaceHandle }) {
  const { drop, watch, handle } = props;
  const { status, ticket } = handle;
  const called = status?.kind === 'called' ? status : null;
  const purchase = usePurchase(drop, { called, ticket });
  useTurnAlert({ isTurn: called !== null && purchase.stage.kind === 'none', dropTitle: drop.title });
  const isWaiting = status?.kind === 'waiting' || status?.kind === 'lobby';
  useEffect(() => {
    // The turn's own script comes while one waits, so that none of its time is lost to loading. One that does not come
    // now is asked for again when it is needed.
    if (isWaiting) loadCheckout().catch(() => undefined);
  }, [isWaiting]);
  const showsPurchase = purchase.stage.kind !== 'none' || called !== null;
  const isUnderWay = !isBefore(watch?.state ?? drop.state);
  const isFirst = showsPurchase || (isUnderWay && (handle.isBusy || ticket !== null));
  const { panel, isHere } = useOwnPanel();
  useLayoutEffect(() => {
    // Who moved it by joining goes with it.
    if (isFirst && isHere.current) panel.current?.scrollIntoView({ block: 'nearest' });
  }, [isFirst, isHere, panel]);
  return (
    <div ref={panel} className={`front-own ${isFirst ? 'front-own-first' : ''}`}>
      <IsHere value={isHere}>
        {showsPurchase ? (
          <Suspense fallback={<Loading />}>
            <Checkout drop={drop} watch={watch} purchase={purchase} called={called} />
          </Suspense>
        ) : (
          <Place drop={drop} watch={watch} handle={handle} />
        )}
      </IsHere>
      <QueueNews status={status} watch={watch} />
    </div>
  );
}

function Loading() {
  return (
    <TicketCard step="called" title={texts.queue.called.title} tone="turn">
      <p className="hint">{texts.frame.loading}</p>
    </TicketCard>
  );
}

function Place({ drop, watch, handle }: { drop: Drop; watch: DropWatch | null; handle: PlaceHandle }) {
  const { ticket, status, problem } = handle;
  const state = watch?.state ?? drop.state;
  const isShuffled = drop.mode !== 'fifo' && isBefore(state);
  const problemNote = problem !== null && (
    <p className="notice notice-alarm" role="alert">
      {problem}
    </p>
  );
  if (ticket === null) {
    return (
      <TicketCard
        step="join"
        title={texts.queue.title}
        stub={isOver(state) ? undefined : <JoinForm state={state} handle={handle} />}
      >
        <p>{joinText(drop, state, handle)}</p>
        {isShuffled && <ShuffleExplained />}
        {problemNote}
      </TicketCard>
    );
  }
  const number = texts.queue.arrival(ticket.arrival + 1);
  switch (status?.kind) {
    case undefined:
      return (
        <TicketCard step="joined" title={texts.queue.title} number={number}>
          <p className="hint">{texts.frame.connecting} …</p>
          {problemNote}
        </TicketCard>
      );
    case 'lobby':
      return (
        <TicketCard
          step="lobby"
          title={texts.queue.lobby.title}
          number={number}
          stub={<LeaveButton handle={handle} />}
        >
          <p className="queue-lead">
            {formatCount(watch?.lanes.reduce((sum, lane) => sum + lane.arrived, 0) ?? 0)}{' '}
            <span>{texts.drops.inLobby}</span>
          </p>
          <p>{texts.queue.lobby.text[drop.mode]}</p>
          <p className="hint">{texts.queue.lobby.keep}</p>
          {drop.mode !== 'fifo' && <ShuffleExplained />}
          <TurnAlerts />
          {problemNote}
        </TicketCard>
      );
    case 'waiting':
      return (
        <TicketCard
          step="waiting"
          title={texts.queue.waiting.title}
          number={number}
          stub={<LeaveButton handle={handle} />}
        >
          <WaitingPlace status={status} ticket={ticket} place={handle.place} watch={watch} />
          <TurnAlerts />
          {problemNote}
        </TicketCard>
      );
    case 'called':
      return null;
    case 'missed':
    case 'done':
    case 'left':
    case 'sold-out':
    case 'closed':
    case 'lost-draw':
      return (
        <TicketCard step={status.kind} title={texts.queue.title} number={number}>
          <p className="notice">{texts.queue.outcome[status.kind]}</p>
        </TicketCard>
      );
  }
}

function isBefore(state: DropState): boolean {
  return state === 'lobby' || state === 'scheduled';
}

function isOver(state: DropState): state is 'sold-out' | 'closed' {
  return state === 'sold-out' || state === 'closed';
}

function joinText(drop: Drop, state: DropState, { refusal }: PlaceHandle): string {
  if (isOver(state)) return texts.queue.outcome[state];
  if (refusal !== null) return texts.queue.outcome[refusal];
  if (state === 'scheduled') return texts.queue.notYet;
  // After the opening there is no lobby to be shuffled any more: whoever comes now queues behind.
  return texts.queue.joinHint[state === 'lobby' ? drop.mode : 'fifo'];
}
