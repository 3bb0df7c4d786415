// Which drops there are: asked for when the page opens, again now and then, and whenever the connection comes back.
import { useEffect, useState } from 'react';
import { useEngine } from '../engine/engine-context.ts';
import type { Drop } from '../engine/types.ts';
import { useValue } from './use-value.ts';

/** A new drop shows up within this; what happens in a known one comes over its own subscription, at once. */
const askEveryMs = 10_000;
const shownCount = 12;

/** Null until the engine has answered for the first time. */
export function useDrops(): readonly Drop[] | null {
  const { api, link } = useEngine();
  const isLost = useValue(link) === 'lost';
  const [drops, setDrops] = useState<readonly Drop[] | null>(null);
  useEffect(() => {
    let timer: number | undefined;
    const ending = new AbortController();
    const ask = async () => {
      try {
        const { items } = await api.drop.list.query({ limit: shownCount }, { signal: ending.signal });
        if (!ending.signal.aborted) setDrops(items);
      } catch {
        // The last list stays; the banner tells that the connection is away.
      }
      // Spread out: a crowd that opened the page at one instant must not ask at one instant for ever.
      if (!ending.signal.aborted)
        timer = window.setTimeout(() => void ask(), askEveryMs * (0.75 + Math.random() / 2));
    };
    void ask();
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [api, isLost]);
  return drops;
}
