import { Link } from 'wouter';
import { useDrop } from '../../react/index.ts';
import { DropCard } from '../drop/drop-card.tsx';
import { Headline } from '../drop/headline.tsx';
import { StateBadge } from '../drop/state-badge.tsx';
import { explainFailure } from '../engine/explain.ts';
import type { Drop } from '../engine/types.ts';
import { Page } from '../frame/page.tsx';
import { byUrgency, isOver } from '../live/choose-drop.ts';
import { useDropViews } from '../live/use-drop-views.ts';
import { withOpening } from '../live/with-opening.ts';
import { SkuPicture } from '../products/sku-picture.tsx';
import { texts } from '../texts/texts.ts';
import { CatalogGlance } from './catalog-glance.tsx';
import { NoDrops } from './no-drops.tsx';

/** The drops that are over, shown at most: the shop's past is not what one comes for. */
const pastCount = 6;

export function Home() {
  const { drops, error } = useDropViews();
  // Until the drops are known nothing stands below their place: what comes then moves nobody's page.
  if (drops === null)
    return (
      <Page title={texts.drops.title}>
        <NoDrops isLoading problem={error === null ? null : explainFailure(error)} />
      </Page>
    );
  const [front, ...others] = byUrgency(drops);
  const coming = others.filter(drop => !isOver(drop.state));
  const past = others.filter(drop => isOver(drop.state)).slice(0, pastCount);
  return (
    <Page title={texts.drops.title}>
      {front ? <FrontDrop key={front.dropId} drop={front} /> : <NoDrops isLoading={false} problem={null} />}
      <Cards id="other-drops" title={texts.drops.others} drops={coming} />
      <Cards id="past-drops" title={texts.drops.past} drops={past} />
      <CatalogGlance />
    </Page>
  );
}

function Cards({ id, title, drops }: { id: string; title: string; drops: readonly Drop[] }) {
  if (drops.length === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{title}</h2>
      <ul className="drop-cards">
        {drops.map(drop => (
          <DropCard key={drop.dropId} drop={drop} />
        ))}
      </ul>
    </section>
  );
}

/** The drop to go to first: running, or the next to open. */
function FrontDrop({ drop }: { drop: Drop }) {
  const { drop: watch } = useDrop(isOver(drop.state) ? null : drop.dropId);
  const state = watch?.state ?? drop.state;
  const [first] = drop.items;
  const href = `/drops/${drop.dropId}`;
  return (
    <section className="board home-front" aria-labelledby="home-front-title">
      <div className="home-front-words">
        <div className="drop-board-head">
          <StateBadge state={state} />
          <p>{texts.drops.perBuyer(drop.perBuyerMax)}</p>
        </div>
        <h1 id="home-front-title">
          <Link href={href}>{drop.title}</Link>
        </h1>
        <Headline drop={withOpening(drop, watch)} state={state} />
        <Link href={href} className="button button-live home-front-go">
          {isOver(state) ? texts.drops.look : texts.drops.enter}
          <span className="visually-hidden">: {drop.title}</span>
        </Link>
      </div>
      {first && <SkuPicture sku={first.sku} title={first.title} />}
    </section>
  );
}
