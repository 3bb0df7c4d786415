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

/**
 * In the place of data that is not there yet, or could not be had. Whoever shows what is there keeps showing it where
 * asking again fails: a page must not go away in the middle of trouble, nor a form under somebody's hands.
 */
export function Awaited({
  query,
  title,
}: {
  query: { isError: boolean; error: unknown; refetch: () => unknown };
  /** Of the page, where there is none around it. */
  title?: string;
}) {
  if (!query.isError) return <Loading />;
  const failed = <Failed error={query.error} onAgain={() => void query.refetch()} />;
  return title === undefined ? failed : <Page title={title}>{failed}</Page>;
}

/** For what is being edited: what somebody is writing must not be replaced under their hands. */
export const heldStill = {
  refetchOnWindowFocus: false,
  refetchOnReconnect: false,
} as const;

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
