import { useState } from 'react';
import { keptContact, type KeptContact } from '../engine/kept.ts';
import { formatMoney } from '../format/money.ts';
import { texts } from '../texts/texts.ts';
import { PlaceFields } from './place-fields.tsx';
import type { Place, Purchase } from './purchase.ts';

/** Who buys and where it goes. Browsers fill it in by the fields' names. */
export function DetailsForm({ purchase }: { purchase: Purchase }) {
  const [contact, setContact] = useState<KeptContact>(keptContact);
  const [place, setPlace] = useState<Place>(purchase.place);
  const field = (name: keyof KeptContact) => ({
    name,
    value: contact[name],
    onChange: (event: { target: { value: string } }) =>
      setContact({ ...contact, [name]: event.target.value }),
  });
  const { stage } = purchase;
  const requoted = stage.kind === 'held' ? stage.requoted : null;
  const label = requoted ? texts.checkout.toPaymentOf(formatMoney(requoted.total)) : texts.checkout.toPayment;
  return (
    <form
      className="checkout-form"
      onSubmit={event => {
        event.preventDefault();
        purchase.pay(contact, place);
      }}
    >
      <label className="field">
        <span>{texts.checkout.email}</span>
        <input {...field('email')} type="email" autoComplete="email" required maxLength={254} />
      </label>
      <label className="field">
        <span>{texts.checkout.name}</span>
        <input {...field('name')} autoComplete="name" required maxLength={120} />
      </label>
      <label className="field">
        <span>{texts.checkout.line1}</span>
        <input {...field('line1')} autoComplete="address-line1" required maxLength={120} />
      </label>
      <label className="field">
        <span>{texts.checkout.line2}</span>
        <input {...field('line2')} autoComplete="address-line2" maxLength={120} />
      </label>
      <div className="field-pair">
        <label className="field">
          <span>{texts.checkout.postcode}</span>
          <input {...field('postcode')} autoComplete="postal-code" maxLength={16} />
        </label>
        <label className="field">
          <span>{texts.checkout.city}</span>
          <input {...field('city')} autoComplete="address-level2" required maxLength={120} />
        </label>
      </div>
      <PlaceFields label={texts.checkout.country} place={place} onChange={setPlace} />
      <button type="submit" className="button button-wide" disabled={purchase.isBusy}>
        {purchase.isBusy ? texts.checkout.preparing : label}
      </button>
    </form>
  );
}
