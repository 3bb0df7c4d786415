import { useId } from 'react';
import { texts } from '../texts/texts.ts';
import { countries, hasStates } from './countries.ts';
import type { Place } from './purchase.ts';

/** Where it goes, as far as the price depends on it. */
export function PlaceFields(props: { label: string; place: Place; onChange: (place: Place) => void }) {
  const { label, place, onChange } = props;
  const countryId = useId();
  return (
    <>
      <div className="field">
        <label htmlFor={countryId}>{label}</label>
        <select
          id={countryId}
          name="country"
          autoComplete="country"
          value={place.country}
          onChange={event => onChange({ country: event.target.value, state: '' })}
        >
          {countries().map(({ code, name }) => (
            <option key={code} value={code}>
              {name}
            </option>
          ))}
        </select>
      </div>
      {hasStates(place.country) && (
        <label className="field">
          <span>{texts.checkout.state}</span>
          <input
            name="state"
            autoComplete="address-level1"
            maxLength={40}
            value={place.state}
            onChange={event => onChange({ ...place, state: event.target.value })}
          />
        </label>
      )}
    </>
  );
}
