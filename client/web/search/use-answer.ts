// Search as one types: the last answer stays while the next one is on its way, whatever the order in which they come.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEngine } from '../engine/engine-context.ts';
import type { SearchAnswer } from '../engine/types.ts';
import { searchInput, type Question } from './question.ts';
import { useSettled } from './use-settled.ts';

/** A search that was away or degraded, and a catalog that was empty, are asked again by themselves. */
const askAgainMs = 10_000;

export interface AnswerState {
  readonly answer: SearchAnswer | null;
  readonly isAsking: boolean;
  readonly hasFailed: boolean;
  readonly askAgain: () => void;
}

export function useAnswer(question: Question): AnswerState {
  const { api } = useEngine();
  const settled = useSettled(searchInput(question));
  const { data, isFetching, isError, refetch } = useQuery({
    queryKey: ['search', settled.value],
    queryFn: ({ signal }) => api.search.products.query(settled.value, { signal }),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    refetchInterval: ({ state }) =>
      state.status === 'error' || state.data?.degraded || state.data?.total === 0 ? askAgainMs : false,
  });
  return {
    answer: isError ? null : (data ?? null),
    isAsking: isFetching || !settled.isSettled,
    hasFailed: isError,
    askAgain: () => void refetch(),
  };
}
