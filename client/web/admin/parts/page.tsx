// What every page of the control room has: a heading, and something to show while its data is on the way, missing, or
// could not be had.
import { type ReactNode, useEffect, useRef } from 'react';
import { words } from '../texts/texts.ts';
import { explain } from './explain.ts';

export function Page({ title, acts, children }: { title: string; acts?: ReactNode; children: ReactNode }) {
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    document.title = `${title} · ${words.name}`;
  }, [title]);
  useEffect(() => {
    // Who came by a link, or signed in, is put at the page's start. Who is in a field of the head stays there.
    const at = document.activeElement;
    if (at !== null && at !== document.body && !(at instanceof HTMLAnchorElement)) return;
    window.scrollTo(0, 0);
    main.current?.focus({ preventScroll: true });
  }, []);
  return (
    <main id="content" tabIndex={-1} ref={main} className="admin-page">
      <div className="page-head">
        <h1>{title}</h1>
        {acts && <div className="page-acts">{acts}</div>}
      </div>
      {children}
    </main>
  );
}

export function Loading() {
  return (
    <p className="page-state hint" role="status">
      {words.loading}
    </p>
  );
}

export function Failed({ error, onAgain }: { error: unknown; onAgain: () => void }) {
  return (
    <div className="notice notice-alarm page-failed" role="alert">
      <p>{explain(error)}</p>
      <button type="button" className="button button-quiet" onClick={onAgain}>
        {words.again}
      </button>
    </div>
  );
}

export function Empty({ title, hint, children }: { title: string; hint: string; children?: ReactNode }) {
  return (
    <div className="empty card">
      <h2>{title}</h2>
      <p className="hint">{hint}</p>
      {children}
    </div>
  );
}

export function More({
  query,
}: {
  query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown };
}) {
  if (!query.hasNextPage) return null;
  return (
    <button
      type="button"
      className="button button-quiet more"
      disabled={query.isFetchingNextPage}
      onClick={() => void query.fetchNextPage()}
    >
      {words.more}
    </button>
  );
}
