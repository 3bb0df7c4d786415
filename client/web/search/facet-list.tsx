import { formatCount } from '../format/number.ts';

const shownCount = 10;

/** The values of one facet with how many there are; several chosen ones are alternatives. */
export function FacetList(props: {
  label: string;
  values: readonly { value: string; count: number }[];
  chosen: readonly string[];
  onChange: (chosen: readonly string[]) => void;
}) {
  const { label, values, chosen, onChange } = props;
  // What is chosen stays to be seen, also where nothing is left of it.
  const gone = chosen.filter(value => !values.some(each => each.value === value));
  const shown = [...gone.map(value => ({ value, count: 0 })), ...values].filter(
    ({ value }, place) => place < shownCount || chosen.includes(value),
  );
  if (shown.length === 0) return null;
  return (
    <fieldset className="facet">
      <legend>{label}</legend>
      {shown.map(({ value, count }) => (
        <label key={value} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(value)}
            onChange={event =>
              onChange(event.target.checked ? [...chosen, value] : chosen.filter(each => each !== value))
            }
          />
          <span>{value}</span>
          <span className="figures facet-count">{formatCount(count)}</span>
        </label>
      ))}
    </fieldset>
  );
}
