// Tells a screen reader how the queue moves: each change of kind at once, the number of people ahead now and then.
import { useEffect, useRef, useState } from 'react';
import type { DropWatch, TicketStatus } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';

/** Often enough to follow, seldom enough to get a word in. */
const quietMs = 20_000;

export function QueueNews(props: { status: TicketStatus | null; watch: DropWatch | null }) {
  const { status, watch } = props;
  const [news, setNews] = useState('');
  const told = useRef({ kind: '', atMs: 0 });
  const text = newsOf(status, watch);
  useEffect(() => {
    if (status === null || text === '') return undefined;
    const tell = () => {
      told.current = { kind: status.kind, atMs: performance.now() };
      setNews(text);
    };
    const waitMs = told.current.kind === status.kind ? told.current.atMs + quietMs - performance.now() : 0;
    if (waitMs <= 0) {
      tell();
      return undefined;
    }
    const timer = window.setTimeout(tell, waitMs);
    return () => window.clearTimeout(timer);
  }, [status, text]);
  return (
    <p className="visually-hidden" aria-live="polite">
      {news}
    </p>
  );
}

function newsOf(status: TicketStatus | null, watch: DropWatch | null): string {
  if (status === null) return '';
  switch (status.kind) {
    case 'lobby':
      return texts.queue.announce.lobby;
    case 'waiting': {
      const lane = watch?.lanes.find(candidate => candidate.lane === status.lane);
      // Until the drop's own news are there, the place in the line says nothing of how many are still ahead.
      return watch ? texts.queue.announce.ahead(Math.max(0, status.rank - (lane?.serving ?? 0))) : '';
    }
    case 'called':
      return texts.queue.announce.called;
    case 'missed':
    case 'done':
    case 'left':
    case 'sold-out':
    case 'closed':
    case 'lost-draw':
      return texts.queue.outcome[status.kind];
  }
}
