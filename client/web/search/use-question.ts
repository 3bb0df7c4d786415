import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';
import { pageCount, readQuestion, writeQuestion, type Question } from './question.ts';

/** `typed`: on the way to what is meant. */
export type Ask = (change: Partial<Question>, how?: 'chosen' | 'typed') => void;

/**
 * What is searched for, and a way to change it. Each change is a new address; typing replaces the last one, so that
 * "back" leaves the search instead of taking letters away.
 */
export function useQuestion(): [Question, Ask] {
  const search = useSearch();
  const [, navigate] = useLocation();
  const question = readQuestion(search);
  const ask = useCallback<Ask>(
    (change, how = 'chosen') => {
      const text = writeQuestion({ ...readQuestion(search), perPage: pageCount, ...change });
      navigate(text === '' ? '/search' : `/search?${text}`, { replace: how === 'typed' });
    },
    [navigate, search],
  );
  return [question, ask];
}
