// Search as one types: the newest question's answer is shown, whatever the order in which answers come.
import { useEffect, useState } from 'react';
import { withRetries } from '../../index.ts';
import { useEngine } from '../engine/engine-context.ts';
import type { SearchAnswer } from '../engine/types.ts';

export interface Question {
  readonly q: string;
  readonly brand: string | null;
  readonly category: string | null;
  readonly perPage: number;
}

export type SearchState =
  | { kind: 'asking'; last: SearchAnswer | null }
  | { kind: 'answered'; answer: SearchAnswer; question: Question }
  | { kind: 'failed' };

/** Between two keystrokes of a quick typist: one question for a word, not one for each letter. */
const settleMs = 150;
const askWithinMs = 15_000;
/** A search that was away, and a catalog that was empty, are asked again by themselves. */
const askAgainMs = 10_000;

export function useSearch(question: Question): SearchState {
  const { api } = useEngine();
  const [state, setState] = useState<SearchState>({ kind: 'asking', last: null });
  const [round, setRound] = useState(0);
  const { q, brand, category, perPage } = question;
  useEffect(() => {
    const ending = new AbortController();
    const { signal } = ending;
    setState(old => ({ kind: 'asking', last: old.kind === 'answered' ? old.answer : null }));
    const ask = async () => {
      try {
        const filters = { ...(brand === null ? {} : { brand }), ...(category === null ? {} : { category }) };
        const answer = await withRetries(
          () => api.search.products.query({ q: q.trim(), filters, perPage }, { signal }),
          { withinMs: askWithinMs, signal },
        );
        if (!signal.aborted)
          setState({ kind: 'answered', answer, question: { q, brand, category, perPage } });
      } catch {
        if (!signal.aborted) setState({ kind: 'failed' });
      }
    };
    const timer = window.setTimeout(() => void ask(), settleMs);
    return () => {
      window.clearTimeout(timer);
      ending.abort();
    };
    // `round` has no part in the question: a new one asks it again.
  }, [api, q, brand, category, perPage, round]);

  const isInVain = state.kind === 'failed' || (state.kind === 'answered' && state.answer.total === 0);
  useEffect(() => {
    if (!isInVain) return undefined;
    const timer = window.setTimeout(() => setRound(last => last + 1), askAgainMs);
    return () => window.clearTimeout(timer);
  }, [isInVain, round]);
  return state;
}
