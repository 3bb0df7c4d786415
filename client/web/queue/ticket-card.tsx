import type { ReactNode } from 'react';

/** The look of a paper ticket: what it is above the perforation, what can be done with it below. */
export function TicketCard(props: {
  title: string;
  number?: string | undefined;
  tone?: 'calm' | 'turn';
  children: ReactNode;
  stub?: ReactNode;
}) {
  const { title, number, tone = 'calm', children, stub } = props;
  return (
    <section className={`ticket ticket-${tone}`} aria-labelledby="ticket-title">
      <div className="ticket-body">
        <div className="ticket-head">
          <h2 id="ticket-title">{title}</h2>
          {number !== undefined && <span className="ticket-number figures">{number}</span>}
        </div>
        {children}
      </div>
      {stub !== undefined && <div className="ticket-stub">{stub}</div>}
    </section>
  );
}
