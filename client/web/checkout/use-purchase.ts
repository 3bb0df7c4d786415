// Takes a purchase from one stage to the next. The hold's id is made and kept before the first call, so that a
// reload, or an answer that got lost, finds the same hold and the same order again.
import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { failureOf, withRetries } from '../../index.ts';
import type { Ticket } from '../../react/index.ts';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import { keepContact, keepHold, keptHold, type KeptContact } from '../engine/kept.ts';
import type { Address, Drop, HoldOutcome, TicketStatus } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';
import { whyNotQuoted } from './why-not-quoted.ts';
import { ownCountry } from './countries.ts';
import {
  destinationOf,
  orderIdOf,
  type Place,
  type Purchase,
  type ReserveResult,
  type Stage,
} from './purchase.ts';

type Called = Extract<TicketStatus, { kind: 'called' }>;

const callWithinMs = 20_000;
/** The engine takes expired holds back within a second; asked sooner, it may not have done so yet. */
const expiryLookMs = 1_000;
/** After a look that has tried for as long as a call may. */
const lookAgainMs = 3_000;

export function usePurchase(
  drop: Drop,
  { called, ticket }: { called: Called | null; ticket: Ticket | null },
): Purchase {
  const { api, clock } = useEngine();
  const { dropId } = drop;
  const [stage, setStage] = useState<Stage>(() => ({ kind: keptHold(dropId) ? 'looking' : 'none' }));
  const [place, setPlace] = useState<Place>(() => {
    const { country, state } = keptHold(dropId) ?? { country: ownCountry(), state: '' };
    return { country, state };
  });
  const [problem, setProblem] = useState<string | null>(null);
  const [isBusy, setIsBusy] = useState(false);
  // Two clicks in one frame must not make two calls; state is too late for that.
  const busy = useRef(false);

  const run = useCallback(async <T>(act: () => Promise<T>, otherwise: T): Promise<T> => {
    if (busy.current) return otherwise;
    busy.current = true;
    setIsBusy(true);
    setProblem(null);
    try {
      return await act();
    } catch (error) {
      setProblem(explainFailure(error));
      return otherwise;
    } finally {
      busy.current = false;
      setIsBusy(false);
    }
  }, []);

  const end = useCallback(
    (why: string | null) => {
      keepHold(dropId, null);
      setStage({ kind: 'none' });
      setProblem(why);
    },
    [dropId],
  );

  /** Where the purchase stands on the server. */
  const look = useCallback(
    async (holdId: string): Promise<'found' | 'ended' | 'unknown'> => {
      try {
        const hold = await withRetries(() => api.hold.get.query({ holdId }), { withinMs: callWithinMs });
        if (hold.kind === 'held') {
          setStage(old => ({ kind: 'held', hold, requoted: old.kind === 'held' ? old.requoted : null }));
          return 'found';
        }
        if (hold.kind === 'paying' || hold.kind === 'settled') {
          setStage({ kind: 'order', orderId: orderIdOf(holdId), agreed: false });
          return 'found';
        }
        end(texts.checkout.outcome.released);
        return 'ended';
      } catch (error) {
        if (failureOf(error).code !== 'NOT_FOUND') {
          setProblem(explainFailure(error));
          return 'unknown';
        }
        end(null);
        return 'ended';
      }
    },
    [api, end],
  );

  // Asked until it is known: before that, nothing can be bought or paid here.
  const isLooking = stage.kind === 'looking';
  useEffect(() => {
    const kept = isLooking ? keptHold(dropId) : null;
    if (!kept) return undefined;
    let timer: number | undefined;
    let isWanted = true;
    const ask = async () => {
      const found = await look(kept.holdId);
      if (found === 'found') setProblem(null);
      else if (found === 'unknown' && isWanted) timer = window.setTimeout(() => void ask(), lookAgainMs);
    };
    void ask();
    return () => {
      isWanted = false;
      window.clearTimeout(timer);
    };
  }, [dropId, isLooking, look]);

  const heldId = stage.kind === 'held' ? stage.hold.holdId : null;
  const heldUntilMs = stage.kind === 'held' ? stage.hold.expiresAtMs : null;
  useEffect(() => {
    if (heldId === null || heldUntilMs === null) return undefined;
    let timer: number | undefined;
    const check = () => {
      const leftMs = heldUntilMs - clock.now();
      if (leftMs <= 0) void look(heldId);
      timer = window.setTimeout(check, Math.max(leftMs, 0) + expiryLookMs);
    };
    timer = window.setTimeout(check, Math.max(heldUntilMs - clock.now(), 0) + expiryLookMs / 2);
    return () => window.clearTimeout(timer);
  }, [heldId, heldUntilMs, clock, look]);

  const reserve = useCallback<Purchase['reserve']>(
    ({ pass, quote, place: to, coupon }) =>
      run<ReserveResult>(async () => {
        // An id that is kept is of a hold whose answer got lost, or of another tab's: the same one finds it.
        const holdId = keptHold(dropId)?.holdId ?? crypto.randomUUID();
        keepHold(dropId, { holdId, ...to, coupon });
        setPlace(to);
        const hold = (by: string) =>
          withRetries(() => api.hold.place.mutate({ holdId, pass: by, quote: quote.quote }), {
            withinMs: callWithinMs,
          });
        let outcome = await hold(pass);
        if (outcome.kind === 'pass-expired' && ticket !== null) {
          // An engine that has lost the pass gives another to who asks while their call stands.
          const status = await withRetries(() => api.queue.get.query({ ticket: ticket.ticket }), {
            withinMs: callWithinMs,
          });
          if (status.kind === 'called') outcome = await hold(status.pass);
        }
        if (outcome.kind === 'held') {
          setStage({ kind: 'held', hold: outcome, requoted: null });
          return 'held';
        }
        if (outcome.kind === 'paying' || outcome.kind === 'settled') {
          setStage({ kind: 'order', orderId: orderIdOf(holdId), agreed: false });
          return 'held';
        }
        // It is there, with another price than this one's: it stands as it was placed.
        if (outcome.kind === 'conflict') {
          const found = await look(holdId);
          if (found !== 'ended') return found === 'found' ? 'held' : 'refused';
        }
        keepHold(dropId, null);
        setProblem(whyNotHeld(outcome, drop));
        return outcome.kind === 'quote-expired' || outcome.kind === 'bad-coupon' ? 'renew' : 'refused';
      }, 'refused'),
    [api, drop, dropId, run, ticket],
  );

  const release = useCallback(() => {
    if (heldId === null) return;
    void run(async () => {
      await withRetries(() => api.hold.release.mutate({ holdId: heldId }), { withinMs: callWithinMs });
      end(null);
    }, undefined);
  }, [api, end, heldId, run]);

  const pay = useCallback<Purchase['pay']>(
    (contact, to) => {
      keepContact(contact);
      void run(async () => {
        const holdId = heldId ?? keptHold(dropId)?.holdId;
        if (holdId === undefined) return;
        const isAgreed =
          stage.kind === 'held' &&
          stage.requoted !== null &&
          place.country === to.country &&
          place.state === to.state;
        const quote = isAgreed && stage.kind === 'held' ? stage.requoted : null;
        const outcome = await withRetries(
          () =>
            api.checkout.pay.mutate({
              holdId,
              email: contact.email.trim(),
              address: addressOf(contact, to),
              ...(quote ? { quote: quote.quote } : {}),
            }),
          { withinMs: callWithinMs },
        );
        switch (outcome.kind) {
          case 'payable': {
            const total = quote?.total ?? (stage.kind === 'held' ? stage.hold.total : null);
            const order = total ?? (await api.order.get.query({ orderId: outcome.orderId })).totals.total;
            setStage({ kind: 'payable', payable: outcome, total: order });
            return;
          }
          case 'paid':
          case 'placed':
            setStage({ kind: 'order', orderId: outcome.orderId, agreed: true });
            return;
          case 'requote': {
            if (stage.kind !== 'held') return;
            const coupon = keptHold(dropId)?.coupon ?? '';
            const requoted = await api.pricing.quote.mutate({
              dropId,
              holdId,
              ...(coupon === '' ? {} : { coupon }),
              lines: stage.hold.lines.map(({ sku, quantity }) => ({ sku, quantity })),
              destination: destinationOf(to),
              currency: stage.hold.total.currency,
            });
            if (requoted.kind !== 'quoted') {
              setProblem(whyNotQuoted(requoted));
              return;
            }
            setPlace(to);
            keepHold(dropId, { holdId, ...to, coupon });
            setStage({ ...stage, requoted });
            setProblem(texts.checkout.requote);
            return;
          }
          case 'below-minimum':
            end(texts.checkout.outcome['below-minimum']);
            return;
          case 'hold-expired':
            end(texts.checkout.outcome['hold-expired']);
            return;
          case 'sold-out':
          case 'all-held':
            end(texts.checkout.outcome[`pay-${outcome.kind}`]);
            return;
          case 'paused':
            setProblem(texts.checkout.outcome.paused);
            return;
        }
      }, undefined);
    },
    [api, dropId, end, heldId, place, run, stage],
  );

  const followOrder = useCallback((agreed: boolean) => {
    setStage(old => (old.kind === 'payable' ? { kind: 'order', orderId: old.payable.orderId, agreed } : old));
  }, []);
  const close = useCallback(() => end(null), [end]);

  // A problem of choosing is over when the turn is.
  const isCalled = called !== null;
  useEffect(() => {
    if (!isCalled) setProblem(null);
  }, [isCalled]);

  return useMemo(
    () => ({ stage, problem, isBusy, place, reserve, release, pay, followOrder, close }),
    [stage, problem, isBusy, place, reserve, release, pay, followOrder, close],
  );
}

function whyNotHeld(outcome: HoldOutcome, drop: Drop): string {
  const { outcome: sentences } = texts.checkout;
  switch (outcome.kind) {
    case 'sold-out':
    case 'all-held': {
      const title = drop.items.find(item => item.sku === outcome.sku)?.title ?? outcome.sku;
      return sentences[outcome.kind](title);
    }
    case 'limit-reached':
      return outcome.limit === 'buyer' ? sentences['limit-buyer'](drop.perBuyerMax) : sentences['limit-pass'];
    // A hold of this id that is going on is no refusal; what is left of these is one that has ended.
    case 'held':
    case 'paying':
    case 'settled':
    case 'released':
      return sentences.released;
    case 'pass-expired':
    case 'quote-expired':
    case 'not-open':
    case 'paused':
    case 'conflict':
      return sentences[outcome.kind];
    case 'bad-coupon':
      return texts.checkout.badCoupon[outcome.reason];
  }
}

function addressOf(contact: KeptContact, { country, state }: Place): Address {
  const { name, line1, line2, city, postcode } = contact;
  return {
    name,
    line1,
    city,
    country,
    ...(line2.trim() === '' ? {} : { line2 }),
    ...(postcode.trim() === '' ? {} : { postcode }),
    ...(state.trim() === '' ? {} : { state }),
  };
}
