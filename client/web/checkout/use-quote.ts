// The price of what is chosen, kept right while the buyer changes it. A quote is for exactly one cart and place.
import { useEffect, useState } from 'react';
import { failureOf, withRetries } from '../../index.ts';
import { useCountdown } from '../../react/index.ts';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import type { CartLine, Drop, Quoted } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import { destinationOf, type Place } from './purchase.ts';
import { whyNotQuoted } from './why-not-quoted.ts';

export type QuoteState =
  | { kind: 'nothing' }
  | { kind: 'pricing'; last: Quoted | null }
  | { kind: 'quoted'; quoted: Quoted }
  | { kind: 'refused'; problem: string };

/** Typing and stepping through quantities come in bursts. */
const settleMs = 200;
const quoteWithinMs = 15_000;

/** `edition` asks for a new quote of the same cart. */
export function useQuote(request: {
  drop: Drop;
  lines: readonly CartLine[];
  place: Place;
  coupon: string;
  edition: number;
}): QuoteState {
  const { drop, lines, place, coupon, edition } = request;
  const { api } = useEngine();
  const [state, setState] = useState<QuoteState>({ kind: 'nothing' });
  const { dropId } = drop;
  const currency = drop.items[0]?.price.currency ?? 'USD';
  // A price that falls makes the quote old: it is asked for anew once the step has come.
  const falls = state.kind === 'quoted' ? state.quoted.falls : undefined;
  const fallsAtMs = falls ? Math.min(...falls.map(({ atMs }) => atMs)) : null;
  const secondsToFall = useCountdown(fallsAtMs);
  const [fallenAtMs, setFallenAtMs] = useState(0);
  useEffect(() => {
    if (secondsToFall === 0 && fallsAtMs !== null) setFallenAtMs(fallsAtMs);
  }, [secondsToFall, fallsAtMs]);
  // A key of plain text: the lines are a new array each time that the form is drawn.
  const wanted = JSON.stringify({ lines, place, coupon, edition, fallenAtMs });

  useEffect(() => {
    if (lines.length === 0) {
      setState({ kind: 'nothing' });
      return undefined;
    }
    const ending = new AbortController();
    setState(old => ({ kind: 'pricing', last: old.kind === 'quoted' ? old.quoted : null }));
    const priced = async (): Promise<QuoteState> => {
      try {
        const outcome = await withRetries(
          () =>
            api.pricing.quote.mutate({
              dropId,
              lines: [...lines],
              destination: destinationOf(place),
              currency,
              ...(coupon === '' ? {} : { coupon }),
            }),
          { withinMs: quoteWithinMs, signal: ending.signal },
        );
        return outcome.kind === 'quoted'
          ? { kind: 'quoted', quoted: outcome }
          : { kind: 'refused', problem: whyNotQuoted(outcome) };
      } catch (error) {
        // A code of letters that no code has is not asked for, but refused as malformed.
        if (coupon !== '' && failureOf(error).code === 'BAD_REQUEST') {
          return { kind: 'refused', problem: texts.checkout.badCoupon.unknown };
        }
        return { kind: 'refused', problem: explainFailure(error) };
      }
    };
    const price = async () => {
      const next = await priced();
      if (!ending.signal.aborted) setState(next);
    };
    const timer = window.setTimeout(() => void price(), settleMs);
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
    // `wanted` stands for lines, place, coupon, edition and the price that has fallen.
  }, [api, dropId, currency, wanted]);
  return state;
}
