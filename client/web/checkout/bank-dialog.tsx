import { useEffect, useRef } from 'react';
import { texts } from '../texts/texts.ts';
import { isAgreed } from './confirm-payment.ts';

/** The bank's own page, in a frame above ours. It tells how the buyer answered; only its own word counts. */
export function BankDialog(props: {
  url: string;
  origin: string;
  onEnd: (outcome: 'agreed' | 'failed' | 'cancelled') => void;
}) {
  const { url, origin, onEnd } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const end = useRef(onEnd);
  end.current = onEnd;

  useEffect(() => {
    dialog.current?.showModal();
    const hear = (event: MessageEvent<unknown>) => {
      if (event.origin !== origin) return;
      const { data } = event;
      if (typeof data !== 'object' || data === null || !('type' in data) || !('status' in data)) return;
      if (data.type !== 'stripe-standin:challenge-over') return;
      end.current(isAgreed(data.status) ? 'agreed' : 'failed');
    };
    window.addEventListener('message', hear);
    return () => window.removeEventListener('message', hear);
  }, [origin]);

  return (
    <dialog
      ref={dialog}
      className="bank-dialog"
      aria-label={texts.checkout.bankTitle}
      onClose={() => end.current('cancelled')}
    >
      <iframe title={texts.checkout.bankTitle} src={url} />
      <button type="button" className="button button-quiet" onClick={() => dialog.current?.close()}>
        {texts.checkout.bankClose}
      </button>
    </dialog>
  );
}
