import { Link, useRoute } from 'wouter';
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
      <Link href="/" className="page-name" aria-label={`${texts.name} – ${texts.frame.nav.drops}`}>
        <Door />
        <span>{texts.name}</span>
      </Link>
      <nav aria-label={texts.frame.nav.label} className="page-nav">
        <NavLink href="/" label={texts.frame.nav.drops} />
        <NavLink href="/search" label={texts.frame.nav.search} />
        <NavLink href="/orders" label={texts.frame.nav.orders} />
        <NavLink href="/account" label={texts.frame.nav.account} />
      </nav>
      <p className={`page-link page-link-${state}`}>
        {state !== 'idle' && (
          <>
            <span aria-hidden="true" />
            {state === 'open' ? texts.frame.live : texts.frame.connecting}
          </>
        )}
      </p>
    </header>
  );
}

function NavLink({ href, label }: { href: string; label: string }) {
  const [isHere] = useRoute(href);
  return (
    <Link href={href} aria-current={isHere ? 'page' : undefined}>
      {label}
    </Link>
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
