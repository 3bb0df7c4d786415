import { useId, useState } from 'react';
import { texts } from '../texts/texts.ts';

/** A discount code: applied when the buyer says so, not at every letter. */
export function CouponField(props: { coupon: string; onChange: (coupon: string) => void }) {
  const { coupon, onChange } = props;
  const [typed, setTyped] = useState('');
  const id = useId();
  if (coupon !== '') {
    return (
      <p className="coupon-used">
        <span>{texts.checkout.couponUsed(coupon)}</span>
        <button type="button" className="button button-quiet" onClick={() => onChange('')}>
          {texts.checkout.couponRemove}
        </button>
      </p>
    );
  }
  const apply = () => {
    if (typed.trim() !== '') onChange(typed.trim());
  };
  return (
    <div className="field">
      <label htmlFor={id}>
        {texts.checkout.coupon} · {texts.checkout.couponHint}
      </label>
      <span className="coupon-line">
        <input
          id={id}
          value={typed}
          autoComplete="off"
          autoCapitalize="characters"
          maxLength={40}
          onChange={event => setTyped(event.target.value)}
          onKeyDown={event => {
            // Enter in here means the code, not the reservation.
            if (event.key !== 'Enter') return;
            event.preventDefault();
            apply();
          }}
        />
        <button type="button" className="button button-quiet" disabled={typed.trim() === ''} onClick={apply}>
          {texts.checkout.couponApply}
        </button>
      </span>
    </div>
  );
}
