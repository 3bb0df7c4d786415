import { useEffect, useRef, useState } from 'react';
import { texts } from '../texts/texts.ts';
import type { PlaceHandle } from './use-place.ts';

/** Giving up a place is for good, so it is asked twice. The focus goes to the question, and back where one stays. */
export function LeaveButton({ handle }: { handle: PlaceHandle }) {
  const [asks, setAsks] = useState(false);
  const hasAsked = useRef(false);
  const question = useRef<HTMLDivElement>(null);
  const leave = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (asks) question.current?.focus();
    else if (hasAsked.current) leave.current?.focus();
    hasAsked.current = asks;
  }, [asks]);
  if (!asks) {
    return (
      <button ref={leave} type="button" className="button button-quiet" onClick={() => setAsks(true)}>
        {texts.queue.leave}
      </button>
    );
  }
  return (
    <div ref={question} className="leave" role="group" tabIndex={-1} aria-label={texts.queue.leaveSure}>
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
