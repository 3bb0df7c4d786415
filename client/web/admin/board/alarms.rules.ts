// What an operator must see at once, from the figures alone. Pure; the thresholds stand here with their reasons.
import type { DropStats } from './drop-stats.ts';

export const thresholds = {
  /** A buyer's page shows a spinner from here on. */
  slowMs: 500,
  /** Fewer than this share of the calls that were asked for, while people wait and passes are free. */
  behindShare: 0.5,
  /** Figures come once a second; five missed ones are no jitter any more. */
  staleMs: 6_000,
} as const;

export type Alarm =
  | { kind: 'errors'; perMin: number }
  | { kind: 'slow'; ms: number }
  | { kind: 'behind'; perMin: number; target: number }
  | { kind: 'full' | 'stalled' };

/** The worst first. `openForMs`: a drop that has just opened has not had the time to call anybody. */
export function alarmsOf(stats: DropStats, openForMs: number): Alarm[] {
  const alarms: Alarm[] = [];
  const { errorsPerMin, p95Ms } = stats.process;
  const { perMin, targetPerMin, active, activeMax } = stats.calls;
  if (errorsPerMin > 0) alarms.push({ kind: 'errors', perMin: errorsPerMin });
  if (p95Ms !== null && p95Ms > thresholds.slowMs) alarms.push({ kind: 'slow', ms: Math.round(p95Ms) });
  if (stats.state !== 'open' || stats.waiting === 0) return alarms;
  const available = stats.stock.reduce((sum, item) => sum + item.available, 0);
  const held = stats.stock.reduce((sum, item) => sum + item.held, 0);
  if (active >= activeMax) alarms.push({ kind: 'full' });
  else if (available === 0 && held > 0) alarms.push({ kind: 'stalled' });
  else if (openForMs > 60_000 && perMin < targetPerMin * thresholds.behindShare)
    alarms.push({ kind: 'behind', perMin: Math.round(perMin), target: targetPerMin });
  return alarms;
}

/** An alarm as it is shown; `stale` is the page's own. */
export interface AlarmLine {
  readonly kind: Alarm['kind'] | 'stale';
  readonly text: string;
}

/** What is read out to who cannot see the alarms. */
export interface Spoken {
  readonly kinds: string;
  readonly text: string;
}
export const silence: Spoken = { kinds: '', text: '' };

/**
 * All of them, in the words of the moment at which one came or went. The figures in them change every second, for the eye
 * alone: the same object as before says that there is nothing new to hear.
 */
export function spokenOf(before: Spoken, lines: readonly AlarmLine[]): Spoken {
  const kinds = lines.map(({ kind }) => kind).join(' ');
  return kinds === before.kinds ? before : { kinds, text: lines.map(({ text }) => text).join('. ') };
}
