// The drops as the engine describes them: asked for when a page opens, again now and then, and when the connection
// comes back. What happens in a drop comes over its own subscription, at once.
import { useQuery } from '@tanstack/react-query';
import { useEffect } from 'react';
import { failureOf } from '../../index.ts';
import { useEngine } from '../engine/engine-context.ts';
import type { Drop } from '../engine/types.ts';
import { useValue } from './use-value.ts';

/** A new drop shows up within this. */
const askEveryMs = 10_000;
const shownCount = 24;

/** Spread out: a crowd that opened the page at one instant must not ask at one instant for ever. */
const spread = () => askEveryMs * (0.75 + Math.random() / 2);

/** `drops` is null until the engine has answered for the first time; `error` says why it has not. */
export function useDropViews(): { drops: readonly Drop[] | null; error: unknown } {
  const { api, clock, link } = useEngine();
  const { data, error, refetch } = useQuery({
    queryKey: ['drops'],
    async queryFn({ signal }) {
      const { items } = await api.drop.list.query({ limit: shownCount }, { signal });
      // Every answer says what time it is at the server; countdowns go by that from the first moment.
      for (const { serverTimeMs } of items.slice(0, 1)) clock.hear(serverTimeMs);
      return items;
    },
    refetchInterval: spread,
  });
  const isLost = useValue(link) === 'lost';
  useEffect(() => {
    if (!isLost) void refetch();
  }, [isLost, refetch]);
  return { drops: data ?? null, error: data ? null : error };
}

export type DropViewState =
  | { kind: 'loading' }
  | { kind: 'found'; drop: Drop }
  | { kind: 'missing' }
  | { kind: 'failed'; error: unknown };

/** One drop as the engine describes it. */
export function useDropView(dropId: string): DropViewState {
  const { api, clock } = useEngine();
  const { data, error } = useQuery({
    queryKey: ['drop', dropId],
    async queryFn({ signal }) {
      try {
        const drop = await api.drop.get.query({ dropId }, { signal });
        clock.hear(drop.serverTimeMs);
        return drop;
      } catch (failure) {
        const { code } = failureOf(failure);
        if (code === 'NOT_FOUND' || code === 'BAD_REQUEST') return 'missing' as const;
        throw failure;
      }
    },
    refetchInterval: spread,
  });
  if (data === 'missing') return { kind: 'missing' };
  if (data) return { kind: 'found', drop: data };
  return error ? { kind: 'failed', error } : { kind: 'loading' };
}
