import type { ReactNode } from 'react';
import { useStepFocus } from './own-panel.ts';

/** The look of a paper ticket: what it is above the perforation, what can be done with it below. */
export function TicketCard(props: {
  /** Which step of the visitor's way it shows: where that changes, the heading takes the focus that was lost. */
  step: string;
  title: string;
  number?: string | undefined;
  tone?: 'calm' | 'turn';
  children: ReactNode;
  stub?: ReactNode;
}) {
  const { step, title, number, tone = 'calm', children, stub } = props;
  const heading = useStepFocus(step);
  return (
    <section className={`ticket ticket-${tone}`} aria-labelledby="ticket-title">
      <div className="ticket-body">
        <div className="ticket-head">
          <h2 id="ticket-title" ref={heading} tabIndex={-1}>
            {title}
          </h2>
          {number !== undefined && <span className="ticket-number figures">{number}</span>}
        </div>
        {children}
      </div>
      {stub !== undefined && <div className="ticket-stub">{stub}</div>}
    </section>
  );
}
