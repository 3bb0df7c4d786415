import { useEffect, useState } from 'react';
import { useEngine } from '../engine/engine-context.ts';
import { useValue } from '../live/use-value.ts';
import { texts } from '../texts/texts.ts';

/** A connection that is back within this was never missed. */
const patienceMs = 1_500;
const farewellMs = 4_000;

type Banner = 'none' | 'lost' | 'back';

/** Says calmly that the connection is away, and that it has returned. */
export function ConnectionBanner() {
  const { link } = useEngine();
  const isLost = useValue(link) === 'lost';
  const [banner, setBanner] = useState<Banner>('none');
  useEffect(() => {
    if (isLost) {
      const timer = window.setTimeout(() => setBanner('lost'), patienceMs);
      return () => window.clearTimeout(timer);
    }
    setBanner(old => (old === 'lost' ? 'back' : old));
    const timer = window.setTimeout(() => setBanner('none'), farewellMs);
    return () => window.clearTimeout(timer);
  }, [isLost]);
  return (
    <div className={`connection connection-${banner}`} role="status">
      {banner === 'lost' && <p>{texts.frame.lost}</p>}
      {banner === 'back' && <p>{texts.frame.back}</p>}
    </div>
  );
}
