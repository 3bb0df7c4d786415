import { useState } from 'react';
import { texts } from '../texts/texts.ts';
import type { PlaceHandle } from './use-place.ts';

/** Giving up a place is for good, so it is asked twice. */
export function LeaveButton({ handle }: { handle: PlaceHandle }) {
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
