import { formatMoney, type Money } from '../format/money.ts';
import { texts } from '../texts/texts.ts';

interface Line {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly total: Money;
}

/** Of a quote, or of an order that was made from one. */
interface Parts {
  readonly discount: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly taxIncluded: boolean;
}

/** What is bought, and what it costs; with its parts where a quote is at hand. */
export function PriceLines(props: { lines: readonly Line[]; total: Money; quoted?: Parts | null }) {
  const { lines, total, quoted } = props;
  return (
    <dl className="price-lines figures">
      {lines.map(line => (
        <div key={line.sku}>
          <dt>
            {line.quantity} × {line.title}
          </dt>
          <dd>{formatMoney(line.total)}</dd>
        </div>
      ))}
      {quoted && <PartLines quoted={quoted} />}
      <div className="price-total">
        <dt>{texts.checkout.total}</dt>
        <dd>{formatMoney(total)}</dd>
      </div>
      {quoted?.taxIncluded && quoted.tax.amount > 0 && (
        <div className="price-note">
          <dt>{texts.checkout.taxIncluded}</dt>
          <dd>{formatMoney(quoted.tax)}</dd>
        </div>
      )}
    </dl>
  );
}

function PartLines({ quoted }: { quoted: Parts }) {
  const { discount, shipping, tax, taxIncluded } = quoted;
  return (
    <>
      {discount.amount > 0 && (
        <div>
          <dt>{texts.checkout.discount}</dt>
          <dd>−{formatMoney(discount)}</dd>
        </div>
      )}
      <div>
        <dt>{texts.checkout.shipping}</dt>
        <dd>{shipping.amount === 0 ? texts.checkout.shippingFree : formatMoney(shipping)}</dd>
      </div>
      {!taxIncluded && (
        <div>
          <dt>{texts.checkout.tax}</dt>
          <dd>{formatMoney(tax)}</dd>
        </div>
      )}
    </>
  );
}
