// The live figures of a drop, and what they were in the last minutes: kept while the page is open, over a visit to
// another page of the control room, too.
import { useEffect, useState, useSyncExternalStore } from 'react';
import { failureOf } from '../../../index.ts';
import { type Staff, useStaff } from '../session/staff.ts';
import type { DropStats } from './drop-stats.ts';

/** A quarter of an hour, at one point a second. */
const pointsMax = 900;
const retryMs = 2_000;

export interface History {
  readonly points: readonly DropStats[];
  /** When each point came: the figures' own time stands still while nothing changes. */
  readonly timesMs: readonly number[];
  /** When the last point came, by this browser's clock; 0 before the first. */
  readonly heardAtMs: number;
}

/** By who is signed in: another person must not see what the one before them had read. */
const histories = new WeakMap<Staff['client'], Map<string, History>>();
const nothing: History = { points: [], timesMs: [], heardAtMs: 0 };

function historiesOf(client: Staff['client']): Map<string, History> {
  const known = histories.get(client) ?? new Map<string, History>();
  histories.set(client, known);
  return known;
}

export function useStats(dropId: string): { history: History; error: unknown } {
  const { client } = useStaff();
  const own = historiesOf(client);
  const [error, setError] = useState<unknown>(null);
  const [listeners] = useState(() => new Set<() => void>());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let stop = () => {};
    const follow = () => {
      const subscription = client.api.admin.stats.subscribe(
        { dropId },
        {
          onData({ data }) {
            const known = own.get(dropId) ?? nothing;
            const heardAtMs = Date.now();
            own.set(dropId, {
              points: [...known.points.slice(1 - pointsMax), data],
              timesMs: [...known.timesMs.slice(1 - pointsMax), heardAtMs],
              heardAtMs,
            });
            setError(null);
            for (const listener of listeners) listener();
          },
          onError(problem) {
            setError(problem);
            // Refused for good is refused; anything else is asked for again.
            if (failureOf(problem).retry === 'later') timer = setTimeout(follow, retryMs);
          },
        },
      );
      stop = () => subscription.unsubscribe();
    };
    follow();
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [client, dropId, listeners, own]);
  const history = useSyncExternalStore(
    listener => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => own.get(dropId) ?? nothing,
  );
  return { history, error };
}

/** This browser's time, once a second: for the age of what is shown. */
export function useSecond(): number {
  const [nowMs, setNowMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNowMs(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return nowMs;
}
