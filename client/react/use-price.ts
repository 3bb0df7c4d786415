import { useEffect, useState } from 'react';
import { priceAt, type PriceNow } from '../falling-price.ts';
import { useShared } from './provider.ts';
import { useCountdown } from './use-countdown.ts';

/** An item's price by the server's clock, changing for all visitors together, with the whole seconds to its next step. */
export function usePrice(item: Parameters<typeof priceAt>[0]): PriceNow & { secondsToNext: number | null } {
  const { clock } = useShared().client;
  const [passedMs, setPassedMs] = useState(0);
  // A step that was seen to pass stays passed, also where the clock's estimate is put back by a little.
  const now = priceAt(item, Math.max(clock.now(), passedMs));
  const nextMs = now.next?.atMs ?? null;
  const secondsToNext = useCountdown(nextMs);
  useEffect(() => {
    if (secondsToNext === 0 && nextMs !== null) setPassedMs(nextMs);
  }, [secondsToNext, nextMs]);
  return { ...now, secondsToNext };
}
