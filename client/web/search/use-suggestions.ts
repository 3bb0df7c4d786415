// What a text that is only begun could become. A nicety: where it does not come, the search is what it is without it.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEngine } from '../engine/engine-context.ts';
import type { Suggestion } from '../engine/types.ts';
import { useSettled } from './use-settled.ts';

const none: readonly Suggestion[] = [];

export function useSuggestions(text: string): readonly Suggestion[] {
  const { api } = useEngine();
  const { value: q } = useSettled(text.trim());
  const { data } = useQuery({
    queryKey: ['suggest', q],
    queryFn: ({ signal }) => api.search.suggest.query({ q }, { signal }),
    enabled: q !== '',
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });
  return q === '' || !data ? none : data.suggestions;
}
