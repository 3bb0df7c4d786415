import { useState } from 'react';
import { texts } from '../texts/texts.ts';
import type { TicketHandle } from './use-ticket.ts';

/** Giving up a place is for good, so it is asked twice. */
export function LeaveButton({ handle }: { handle: TicketHandle }) {
  const [asks, setAsks] = useState(false);
  if (!asks) {
    return (
      <button type="button" className="button button-quiet" onClick={() => setAsks(true)}>
        {texts.queue.leave}
      </button>
    );
  }
  return (
    <div className="leave" role="group" aria-label={texts.queue.leaveSure}>
      <p>{texts.queue.leaveSure}</p>
      <button type="button" className="button button-quiet" disabled={handle.isBusy} onClick={handle.leave}>
        {texts.queue.leaveYes}
      </button>
      <button type="button" className="button button-quiet" onClick={() => setAsks(false)}>
        {texts.queue.leaveNo}
      </button>
    </div>
  );
}
