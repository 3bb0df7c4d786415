import { useEffect, useState } from 'react';
import { countdown, secondsLeft } from '../countdown.ts';
import { useShared } from './provider.ts';

/**
 * The whole seconds left to an instant of the server's clock, changing for all visitors together; null where there is
 * no instant, and before the page runs in a browser, since a server cannot know when its page is read.
 */
export function useCountdown(toMs: number | null): number | null {
  const { clock } = useShared().client;
  const [left, setLeft] = useState<{ toMs: number; seconds: number } | null>(null);
  useEffect(() => {
    if (toMs === null) return undefined;
    const ending = new AbortController();
    const run = async () => {
      for await (const seconds of countdown(clock, { toMs, signal: ending.signal }))
        setLeft({ toMs, seconds });
    };
    void run();
    return () => ending.abort();
  }, [clock, toMs]);
  if (toMs === null || left === null) return null;
  // In the moment after another instant was given, the old one's seconds are nobody's.
  return left.toMs === toMs ? left.seconds : secondsLeft(toMs, clock.now());
}
