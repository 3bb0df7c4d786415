import { secondsLeft } from '../../index.ts';
import { useCountdown, useDoorbuster } from '../../react/index.ts';

/** The time left to an instant of the server's clock in whole seconds, as milliseconds; known from the first drawing. */
export function useTimeLeft(untilMs: number): number {
  const { clock } = useDoorbuster();
  const seconds = useCountdown(untilMs) ?? secondsLeft(untilMs, clock.now());
  return seconds * 1_000;
}
