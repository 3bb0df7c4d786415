import { useEngine } from '../engine/engine-context.ts';
import { useValue } from '../live/use-value.ts';
import { texts } from '../texts/texts.ts';

export function PageHeader() {
  const { link } = useEngine();
  const state = useValue(link);
  return (
    <header className="page-header">
      <a className="page-skip" href="#content">
        {texts.frame.skipToContent}
      </a>
      <p className="page-name">
        <Door />
        {texts.name}
      </p>
      {state !== 'idle' && (
        <p className={`page-link page-link-${state}`}>
          <span aria-hidden="true" />
          {state === 'open' ? texts.frame.live : texts.frame.connecting}
        </p>
      )}
    </header>
  );
}

/** A door ajar, with the light on behind it. */
function Door() {
  return (
    <svg viewBox="0 0 32 32" width="30" height="30" aria-hidden="true">
      <path d="M8 27V5h16v22" fill="none" stroke="currentColor" strokeWidth="2.4" strokeLinejoin="round" />
      <path d="M17 8.4 24 5v22l-7-3.4z" fill="var(--amber)" />
      <path d="M4 27h24" stroke="currentColor" strokeWidth="2.4" strokeLinecap="round" />
    </svg>
  );
}
