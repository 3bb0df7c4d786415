import { formatMoney, type Money } from '../format/money.ts';
import { formatPercent } from '../format/number.ts';
import { texts } from '../texts/texts.ts';

interface Line {
  readonly sku: string;
  readonly title: string;
  readonly quantity: number;
  readonly total: Money;
  readonly unitPrice?: Money;
  /** Before a quantity tier or a group made the unit cheaper. */
  readonly listPrice?: Money | undefined;
  readonly tierFrom?: number | undefined;
  readonly group?: string | undefined;
}

/** Of a quote, or of an order that was made from one. */
interface Parts {
  readonly discount: Money;
  readonly shipping: Money;
  readonly tax: Money;
  readonly taxes: readonly { readonly ratePercent: number; readonly tax: Money }[];
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
            <Reduction line={line} />
          </dt>
          <dd>{formatMoney(line.total)}</dd>
        </div>
      ))}
      {quoted && <PartLines quoted={quoted} />}
      <div className="price-total">
        <dt>{texts.checkout.total}</dt>
        <dd>{formatMoney(total)}</dd>
      </div>
      {quoted?.taxIncluded &&
        taxLines(quoted, texts.checkout.taxIncluded, texts.checkout.taxIncludedAt).map(({ label, tax }) => (
          <div className="price-note" key={label}>
            <dt>{label}</dt>
            <dd>{formatMoney(tax)}</dd>
          </div>
        ))}
    </dl>
  );
}

/** One line for each rate where there are several; one alone where there is one, or an order older than the rates. */
function taxLines(
  { tax, taxes }: Parts,
  label: string,
  labelAt: (percent: string) => string,
): { label: string; tax: Money }[] {
  const owed = taxes.filter(part => part.tax.amount > 0);
  if (owed.length < 2) return tax.amount > 0 ? [{ label, tax }] : [];
  return owed.map(part => ({ label: labelAt(formatPercent(part.ratePercent)), tax: part.tax }));
}

/** Why a unit costs less than everybody pays for one. */
function Reduction({ line }: { line: Line }) {
  const { unitPrice, listPrice, tierFrom, group } = line;
  if (!unitPrice || !listPrice) return null;
  const why = [
    texts.checkout.reduced(formatMoney(unitPrice), formatMoney(listPrice)),
    tierFrom === undefined ? null : texts.checkout.tierFrom(tierFrom),
    group === undefined ? null : texts.checkout.forGroup(group),
  ];
  return <span className="hint price-why">{why.filter(part => part !== null).join(' · ')}</span>;
}

function PartLines({ quoted }: { quoted: Parts }) {
  const { discount, shipping, tax, taxIncluded } = quoted;
  const onTop = taxLines(quoted, texts.checkout.tax, texts.checkout.taxAt);
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
      {!taxIncluded &&
        // Where nothing is owed, that is said, too.
        (onTop.length > 0 ? onTop : [{ label: texts.checkout.tax, tax }]).map(part => (
          <div key={part.label}>
            <dt>{part.label}</dt>
            <dd>{formatMoney(part.tax)}</dd>
          </div>
        ))}
    </>
  );
}
