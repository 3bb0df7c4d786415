import { useEffect, useState } from 'react';
import { minorPerMajorOf } from '../format/money.ts';
import { texts } from '../texts/texts.ts';

interface Range {
  readonly priceMin: number | null;
  readonly priceMax: number | null;
}

/** The lowest and the highest price, typed in whole units of the currency. */
export function PriceRange(props: {
  currency: string;
  /** The lowest and the highest price there is, as a hint; in minor units. */
  least: number | undefined;
  most: number | undefined;
  range: Range;
  onChange: (range: Partial<Range>) => void;
}) {
  const { currency, least, most, range, onChange } = props;
  const perMajor = minorPerMajorOf(currency);
  return (
    <fieldset className="facet price-range">
      <legend>
        {texts.products.price} ({currency})
      </legend>
      <AmountField
        label={texts.products.priceFrom}
        amount={range.priceMin}
        hint={least === undefined ? '' : String(Math.floor(least / perMajor))}
        perMajor={perMajor}
        onChange={priceMin => onChange({ priceMin })}
      />
      <span aria-hidden="true">–</span>
      <AmountField
        label={texts.products.priceTo}
        amount={range.priceMax}
        hint={most === undefined ? '' : String(Math.ceil(most / perMajor))}
        perMajor={perMajor}
        onChange={priceMax => onChange({ priceMax })}
      />
    </fieldset>
  );
}

/** Told when the field is left or Enter is pressed: half a number is no price. */
function AmountField(props: {
  label: string;
  amount: number | null;
  hint: string;
  perMajor: number;
  onChange: (amount: number | null) => void;
}) {
  const { label, amount, hint, perMajor, onChange } = props;
  const written = amount === null ? '' : String(amount / perMajor);
  const [typed, setTyped] = useState(written);
  useEffect(() => setTyped(written), [written]);
  const tell = () => {
    const number = Number(typed.replace(',', '.'));
    const isNone = typed.trim() === '' || !Number.isFinite(number) || number < 0;
    const next = isNone ? null : Math.round(number * perMajor);
    if (next === amount) setTyped(written);
    else onChange(next);
  };
  return (
    <input
      inputMode="decimal"
      aria-label={label}
      placeholder={hint}
      autoComplete="off"
      maxLength={9}
      value={typed}
      onChange={event => setTyped(event.target.value)}
      onBlur={tell}
      onKeyDown={event => {
        if (event.key === 'Enter') tell();
      }}
    />
  );
}
