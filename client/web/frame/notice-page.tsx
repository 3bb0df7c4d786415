import type { ReactNode } from 'react';
import { Page } from './page.tsx';

/** A page that has only one thing to say. */
export function Notice(props: { title: string; text: string; children?: ReactNode }) {
  const { title, text, children } = props;
  return (
    <Page title={title} className="notice-page">
      <svg viewBox="0 0 96 96" aria-hidden="true">
        <path d="M28 84V14h40v70" className="no-drops-frame" />
        <path d="M34 84V20h28v64" className="no-drops-door" />
        <circle cx="56" cy="53" r="2.5" className="no-drops-knob" />
        <path d="M12 84h72" className="no-drops-frame" />
      </svg>
      <h1>{title}</h1>
      <p>{text}</p>
      {children !== undefined && <div className="notice-page-ways">{children}</div>}
    </Page>
  );
}
