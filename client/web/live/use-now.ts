import { useEffect, useState } from 'react';
import { useEngine } from '../engine/engine-context.ts';

/**
 * The server's time, again at each turn of its second, so that all countdowns of all visitors change at the same
 * instant. Stands still while `isRunning` is false: what does not count down need not be drawn again.
 */
export function useNow(isRunning = true): number {
  const { clock } = useEngine();
  const [nowMs, setNowMs] = useState(() => clock.now());
  useEffect(() => {
    if (!isRunning) return undefined;
    let timer: number | undefined;
    const turn = () => {
      const now = clock.now();
      setNowMs(now);
      // A few milliseconds past the turn: a timer that fires early would show the old second for a whole one more.
      timer = window.setTimeout(turn, 1_000 - (now % 1_000) + 5);
    };
    turn();
    return () => window.clearTimeout(timer);
  }, [clock, isRunning]);
  return nowMs;
}
