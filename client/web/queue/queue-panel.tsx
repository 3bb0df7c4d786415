import { Checkout } from '../checkout/checkout.tsx';
import { usePurchase } from '../checkout/use-purchase.ts';
import type { Drop, DropState, DropWatch } from '../engine/types.ts';
import { formatCount } from '../format/number.ts';
import { texts } from '../texts/texts.ts';
import { usePageTitle } from '../frame/use-page-title.ts';
import { LeaveButton } from './leave-button.tsx';
import { QueueNews } from './queue-news.tsx';
import { TicketCard } from './ticket-card.tsx';
import { useTicket, type TicketHandle } from './use-ticket.ts';
import { WaitingPlace } from './waiting-place.tsx';

/** The visitor's own side of a drop: joining, waiting, buying. A purchase that has begun stands above the queue. */
export function QueuePanel({ drop, watch }: { drop: Drop; watch: DropWatch | null }) {
  const ticket = useTicket(drop.dropId);
  const { status } = ticket;
  const called = status?.kind === 'called' ? status : null;
  const purchase = usePurchase(drop, called);
  usePageTitle(called !== null && purchase.stage.kind === 'none' ? texts.queue.called.title : null);
  const showsPurchase = purchase.stage.kind !== 'none' || called !== null;
  return (
    <>
      {showsPurchase ? (
        <Checkout drop={drop} watch={watch} purchase={purchase} called={called} />
      ) : (
        <Place drop={drop} watch={watch} ticket={ticket} />
      )}
      <QueueNews status={status} ticket={ticket.ticket} watch={watch} />
    </>
  );
}

function Place({
  drop,
  watch,
  ticket: handle,
}: {
  drop: Drop;
  watch: DropWatch | null;
  ticket: TicketHandle;
}) {
  const { ticket, status, problem } = handle;
  const state = watch?.state ?? drop.state;
  const problemNote = problem !== null && (
    <p className="notice notice-alarm" role="alert">
      {problem}
    </p>
  );
  if (ticket === null) {
    return (
      <TicketCard title={texts.queue.title} stub={<JoinButton state={state} handle={handle} />}>
        <p>{joinText(drop, state, handle)}</p>
        {problemNote}
      </TicketCard>
    );
  }
  const number = texts.queue.arrival(ticket.arrival + 1);
  switch (status?.kind) {
    case undefined:
      return (
        <TicketCard title={texts.queue.title} number={number}>
          <p className="hint">{texts.frame.connecting} …</p>
          {problemNote}
        </TicketCard>
      );
    case 'lobby':
      return (
        <TicketCard title={texts.queue.lobby.title} number={number} stub={<LeaveButton handle={handle} />}>
          <p className="queue-lead">
            {formatCount(watch?.lanes.reduce((sum, lane) => sum + lane.arrived, 0) ?? 0)}{' '}
            <span>{texts.drops.inLobby}</span>
          </p>
          <p>{texts.queue.lobby.text[drop.mode]}</p>
          <p className="hint">{texts.queue.lobby.keep}</p>
          {problemNote}
        </TicketCard>
      );
    case 'waiting':
      return (
        <TicketCard title={texts.queue.waiting.title} number={number} stub={<LeaveButton handle={handle} />}>
          <WaitingPlace status={status} ticket={ticket} watch={watch} />
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
        <TicketCard title={texts.queue.title} number={number}>
          <p className="notice">{texts.queue.outcome[status.kind]}</p>
        </TicketCard>
      );
  }
}

function joinText(drop: Drop, state: DropState, { refusal }: TicketHandle): string {
  if (state === 'sold-out' || state === 'closed') return texts.queue.outcome[state];
  if (refusal !== null) return texts.queue.outcome[refusal];
  if (state === 'scheduled') return texts.queue.notYet;
  // After the opening there is no lobby to be shuffled any more: whoever comes now queues behind.
  return texts.queue.joinHint[state === 'lobby' ? drop.mode : 'fifo'];
}

function JoinButton({ state, handle }: { state: DropState; handle: TicketHandle }) {
  if (state === 'sold-out' || state === 'closed') return null;
  const { isBusy, join } = handle;
  const label = state === 'lobby' || state === 'scheduled' ? texts.queue.joinLobby : texts.queue.join;
  return (
    <button
      type="button"
      className="button button-wide"
      disabled={isBusy || state === 'scheduled'}
      onClick={join}
    >
      {isBusy ? texts.queue.joining : label}
    </button>
  );
}
