import { formatCount } from '../format/number.ts';

const shownCount = 8;

/** The values of one facet as buttons; the chosen one is pressed, and pressing it again lets it go. */
export function FacetList(props: {
  label: string;
  values: readonly { value: string; count: number }[];
  chosen: string | null;
  onChoose: (value: string | null) => void;
}) {
  const { label, values, chosen, onChoose } = props;
  const first = values.slice(0, shownCount);
  const shown =
    chosen === null || first.some(({ value }) => value === chosen)
      ? first
      : [{ value: chosen, count: values.find(({ value }) => value === chosen)?.count ?? 0 }, ...first];
  if (shown.length === 0) return null;
  return (
    <div className="facet" role="group" aria-label={label}>
      <span className="facet-label">{label}</span>
      {shown.map(({ value, count }) => (
        <button
          key={value}
          type="button"
          className="facet-value"
          aria-pressed={value === chosen}
          onClick={() => onChoose(value === chosen ? null : value)}
        >
          {value} <span className="figures">{formatCount(count)}</span>
        </button>
      ))}
    </div>
  );
}
