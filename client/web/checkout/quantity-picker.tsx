import { texts } from '../texts/texts.ts';

export function QuantityPicker(props: {
  title: string;
  quantity: number;
  max: number;
  onChange: (quantity: number) => void;
}) {
  const { title, quantity, max, onChange } = props;
  return (
    <span className="quantity" role="group" aria-label={texts.checkout.quantityOf(title)}>
      <button
        type="button"
        aria-label={texts.checkout.fewer(title)}
        disabled={quantity <= 0}
        onClick={() => onChange(quantity - 1)}
      >
        −
      </button>
      <output className="figures" aria-live="polite">
        {quantity}
      </output>
      <button
        type="button"
        aria-label={texts.checkout.more(title)}
        disabled={quantity >= max}
        onClick={() => onChange(quantity + 1)}
      >
        +
      </button>
    </span>
  );
}
