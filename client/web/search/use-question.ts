import { useCallback } from 'react';
import { useLocation, useSearch } from 'wouter';
import { pageCount, readQuestion, writeQuestion, type Question } from './question.ts';

/**
 * What is searched for, and a way to change it. Each change is a new address; typing replaces the last one, so that
 * "back" leaves the search instead of taking letters away.
 */
export function useQuestion(): [Question, (change: Partial<Question>) => void] {
  const search = useSearch();
  const [, navigate] = useLocation();
  const question = readQuestion(search);
  const ask = useCallback(
    (change: Partial<Question>) => {
      const text = writeQuestion({ ...readQuestion(search), perPage: pageCount, ...change });
      navigate(text === '' ? '/search' : `/search?${text}`, { replace: change.q !== undefined });
    },
    [navigate, search],
  );
  return [question, ask];
}
