import { useState } from 'react';
import type { Payable } from '../engine/types.ts';
import { formatMoney, type Money } from '../format/money.ts';
import { texts } from '../texts/texts.ts';
import { BankDialog } from './bank-dialog.tsx';
import { confirmPayment, type ConfirmResult } from './confirm-payment.ts';
import { takesTestCards, testCards } from './test-cards.ts';

/** The payment itself: with test cards at the stand-in; a real Stripe's own form comes with the storefront. */
export function PayStep(props: { payable: Payable; total: Money; onAgreed: () => void }) {
  const { payable, total, onAgreed } = props;
  const [card, setCard] = useState<string>(testCards[0].paymentMethod);
  const [isBusy, setIsBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [bankUrl, setBankUrl] = useState<string | null>(null);

  if (!takesTestCards(payable.payments.apiBase)) return <p className="notice">{texts.checkout.realStripe}</p>;

  const take = (result: ConfirmResult) => {
    switch (result.kind) {
      case 'agreed':
        onAgreed();
        return;
      case 'declined':
        setProblem(texts.checkout.declinedBy(result.message));
        return;
      case 'authenticate':
        setBankUrl(result.url);
        return;
    }
  };
  const confirm = async () => {
    setIsBusy(true);
    setProblem(null);
    try {
      take(await confirmPayment(payable, card));
    } catch {
      setProblem(texts.errors.network);
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
      <fieldset className="test-cards">
        <legend>{texts.checkout.testCards}</legend>
        {testCards.map(({ paymentMethod, label }) => (
          <label key={paymentMethod}>
            <input
              type="radio"
              name="card"
              value={paymentMethod}
              checked={card === paymentMethod}
              onChange={() => setCard(paymentMethod)}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <p className="hint">{texts.checkout.testCardsHint}</p>
      {problem !== null && (
        <p className="notice notice-alarm" role="alert">
          {problem}
        </p>
      )}
      <button type="submit" className="button button-wide" disabled={isBusy || bankUrl !== null}>
        {isBusy ? texts.checkout.paying : texts.checkout.payNow(formatMoney(total))}
      </button>
      {bankUrl !== null && (
        <BankDialog
          url={bankUrl}
          origin={new URL(payable.payments.apiBase).origin}
          onEnd={outcome => {
            setBankUrl(null);
            if (outcome === 'agreed') onAgreed();
            else if (outcome === 'failed') setProblem(texts.checkout.bankFailed);
          }}
        />
      )}
    </form>
  );
}
