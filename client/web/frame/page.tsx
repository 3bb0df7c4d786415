import { useEffect, useRef, type ReactNode } from 'react';
import { usePageTitle } from './page-title.ts';

let isFirst = true;

/** The part of the document that changes from page to page. Who came by a link inside the shop is put at its start. */
export function Page(props: { title: string; className?: string; children: ReactNode }) {
  const { title, className, children } = props;
  const main = useRef<HTMLElement>(null);
  usePageTitle(title);
  useEffect(() => {
    // The browser itself has put the reader at the start of the first page, or where they were before a reload.
    if (!isFirst) {
      window.scrollTo(0, 0);
      main.current?.focus({ preventScroll: true });
    }
    isFirst = false;
  }, []);
  return (
    <main id="content" tabIndex={-1} ref={main} className={className}>
      {children}
    </main>
  );
}
