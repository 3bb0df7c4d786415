import type { Stripe, StripeElements } from '@stripe/stripe-js';
import { useEffect, useRef, useState } from 'react';
import { useOrder } from '../../react/index.ts';
import type { Payable } from '../engine/types.ts';
import { formatMoney, type Money } from '../format/money.ts';
import { texts } from '../texts/texts.ts';
import { explainDecline } from './declined.ts';
import { ProblemNotice } from './problem-notice.tsx';
import { formAppearance, loadStripe } from './stripe.ts';

type Form =
  | { kind: 'loading' }
  | { kind: 'ready'; stripe: Stripe; elements: StripeElements }
  | { kind: 'failed' };

/** The payment itself, in Stripe's own form: card numbers never touch the engine. */
export function PayStep(props: {
  payable: Payable;
  total: Money;
  /** The bank has agreed, or may have: the order says how it goes on. */
  onAgreed: () => void;
  /** The order went on without this form: its time ran out, or it was paid in another tab. */
  onMoved: () => void;
}) {
  const { payable, total, onAgreed, onMoved } = props;
  const place = useRef<HTMLDivElement>(null);
  const [form, setForm] = useState<Form>({ kind: 'loading' });
  const [attempt, setAttempt] = useState(0);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);

  const { order } = useOrder(payable.orderId);
  const hasMoved = order !== null && order.status !== 'pending';
  useEffect(() => {
    if (hasMoved) onMoved();
  }, [hasMoved, onMoved]);

  const { clientSecret, payments } = payable;
  useEffect(() => {
    let isWanted = true;
    let close = () => {};
    const open = async () => {
      setForm({ kind: 'loading' });
      try {
        const stripe = await loadStripe(payments);
        if (!isWanted || !place.current) return;
        const elements = stripe.elements({ clientSecret, appearance: formAppearance() });
        const element = elements.create('payment', { layout: 'tabs' });
        close = () => element.destroy();
        element.on('ready', () => {
          if (isWanted) setForm({ kind: 'ready', stripe, elements });
        });
        element.mount(place.current);
      } catch {
        if (isWanted) setForm({ kind: 'failed' });
      }
    };
    void open();
    return () => {
      isWanted = false;
      close();
    };
    // `attempt` asks for the form anew where it did not load.
  }, [clientSecret, payments, attempt]);

  const confirm = async () => {
    if (form.kind !== 'ready') return;
    setIsBusy(true);
    setProblem(null);
    try {
      const { error, paymentIntent } = await form.stripe.confirmPayment({
        elements: form.elements,
        redirect: 'if_required',
        // Where a bank insists on a page of its own, it sends the buyer back to the order.
        confirmParams: { return_url: new URL(`/orders/${payable.orderId}`, window.location.href).href },
      });
      // Twice confirmed is once paid.
      if (isAgreed(paymentIntent?.status) || isAgreed(error?.payment_intent?.status)) onAgreed();
      else setProblem(explainDecline(error ?? { type: 'api_error' }));
    } catch (error) {
      // A fault in the form, and no answer of the bank's: whoever tries again pays once all the same.
      setProblem(explainDecline({ type: 'api_error', message: messageOf(error) }));
    } finally {
      setIsBusy(false);
    }
  };

  return (
    <form
      className="checkout-form"
      onSubmit={event => {
        event.preventDefault();
        void confirm();
      }}
    >
      <div className="payment-form" aria-busy={form.kind === 'loading'}>
        {form.kind === 'loading' && <p className="hint">{texts.checkout.cardLoading}</p>}
        {/* What is in here is Stripe's, so React puts nothing in it. */}
        <div ref={place} />
      </div>
      {form.kind === 'failed' && (
        <div className="notice notice-alarm" role="alert">
          <p>{texts.checkout.cardFailed}</p>
          <button type="button" className="button button-quiet" onClick={() => setAttempt(last => last + 1)}>
            {texts.frame.tryAgain}
          </button>
        </div>
      )}
      <ProblemNotice problem={problem} />
      <button type="submit" className="button button-wide" disabled={isBusy || form.kind !== 'ready'}>
        {isBusy ? texts.checkout.paying : texts.checkout.payNow(formatMoney(total))}
      </button>
    </form>
  );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isAgreed(status: string | undefined): boolean {
  return status === 'requires_capture' || status === 'succeeded' || status === 'processing';
}
