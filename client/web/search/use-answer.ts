// Search as one types: the last answer stays while the next one is on its way, whatever the order in which they come.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useEngine } from '../engine/engine-context.ts';
import type { SearchAnswer } from '../engine/types.ts';
import { searchInput, type Question } from './question.ts';

/** Between two keystrokes of a quick typist: one question for a word, not one for each letter. */
const settleMs = 120;
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
    queryKey: ['search', settled.input],
    queryFn: ({ signal }) => api.search.products.query(settled.input, { signal }),
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

type Input = ReturnType<typeof searchInput>;

/** The question once it has stood still for a moment. */
function useSettled(input: Input): { input: Input; isSettled: boolean } {
  const [settled, setSettled] = useState(input);
  const latest = useRef(input);
  latest.current = input;
  const text = JSON.stringify(input);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(latest.current), settleMs);
    return () => window.clearTimeout(timer);
  }, [text]);
  return { input: settled, isSettled: JSON.stringify(settled) === text };
}
