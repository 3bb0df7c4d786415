import { lazy, Suspense, useMemo } from 'react';
import { useDrop } from '../../react/index.ts';
import { explainFailure } from '../engine/explain.ts';
import type { Drop } from '../engine/types.ts';
import { NotFound } from '../frame/not-found.tsx';
import { Notice } from '../frame/notice-page.tsx';
import { Page } from '../frame/page.tsx';
import { PageLoading } from '../frame/page-loading.tsx';
import { useDropView } from '../live/use-drop-views.ts';
import { withOpening } from '../live/with-opening.ts';
import { QueuePanel } from '../queue/queue-panel.tsx';
import { usePlace } from '../queue/use-place.ts';
import { texts } from '../texts/texts.ts';
import { DropBoard } from './drop-board.tsx';
import { StockList } from './stock-list.tsx';

const FairCheck = lazy(async () => ({ default: (await import('../fairness/fair-check.tsx')).FairCheck }));

/** One drop: what happens in it, the visitor's own side of it, what it sells, and how to check it. */
export function DropPage({ dropId }: { dropId: string }) {
  const view = useDropView(dropId);
  switch (view.kind) {
    case 'loading':
      return <PageLoading />;
    case 'missing':
      return <NotFound what={texts.drops.missing} />;
    case 'failed':
      return <Notice title={texts.drops.title} text={explainFailure(view.error)} />;
    case 'found':
      return <Found drop={view.drop} />;
  }
}

function Found({ drop }: { drop: Drop }) {
  // A closed drop's live figures may be gone from the engine already.
  const { drop: watch } = useDrop(drop.state === 'closed' ? null : drop.dropId);
  const opensAtMs = watch?.opensAtMs;
  // Each of the news is a new object; the drop is one only where its opening is another.
  const shown = useMemo(() => withOpening(drop, watch), [drop, opensAtMs]);
  const handle = usePlace(drop.dropId);
  return (
    <Page title={drop.title}>
      <div className="front-drop">
        <DropBoard drop={shown} watch={watch} />
        <QueuePanel drop={shown} watch={watch} handle={handle} />
        <div className="front-more">
          <StockList drop={drop} watch={watch} />
          <Suspense fallback={<div className="fair-check" aria-busy="true" />}>
            <FairCheck drop={drop} ticket={handle.ticket} />
          </Suspense>
        </div>
      </div>
    </Page>
  );
}
