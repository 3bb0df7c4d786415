import { useMemo } from 'react';
import { EngineContext } from './engine/engine-context.ts';
import type { Engine } from './engine/engine.ts';
import { ConnectionBanner } from './frame/connection-banner.tsx';
import { CrashGuard } from './frame/crash-guard.tsx';
import { PageHeader } from './frame/page-header.tsx';
import { Home } from './home/home.tsx';
import { createDropFeeds } from './live/drop-feeds.ts';
import { FeedsContext } from './live/feeds-context.ts';
import { LookupContext } from './products/lookup-context.ts';
import { createProductLookup } from './products/product-lookup.ts';
import { texts } from './texts/texts.ts';

export function App({ engine }: { engine: Engine }) {
  const feeds = useMemo(() => createDropFeeds(engine), [engine]);
  const lookup = useMemo(() => createProductLookup(engine), [engine]);
  return (
    <EngineContext value={engine}>
      <FeedsContext value={feeds}>
        <LookupContext value={lookup}>
          <ConnectionBanner />
          <div className="page">
            <PageHeader />
            <CrashGuard>
              <Home />
            </CrashGuard>
            <footer className="page-footer">
              <p>{texts.frame.footer}</p>
            </footer>
          </div>
        </LookupContext>
      </FeedsContext>
    </EngineContext>
  );
}
