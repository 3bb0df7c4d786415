import { useState } from 'react';
import type { CartLine, Drop, DropWatch, TicketStatus } from '../engine/types.ts';
import { usePrice } from '../../react/index.ts';
import { formatMoney } from '../format/money.ts';
import { texts } from '../texts/texts.ts';
import { CouponField } from './coupon-field.tsx';
import { PlaceFields } from './place-fields.tsx';
import { PriceLines } from './price-lines.tsx';
import type { Place, Purchase } from './purchase.ts';
import { QuantityPicker } from './quantity-picker.tsx';
import { useQuote } from './use-quote.ts';

type Called = Extract<TicketStatus, { kind: 'called' }>;

function PriceNow({ item }: { item: Drop['items'][number] }) {
  return formatMoney(usePrice(item).price);
}

/** With a pass in hand: what, how many, to which country; its price; and taking it off the shelf. */
export function ChooseStep(props: {
  drop: Drop;
  watch: DropWatch | null;
  purchase: Purchase;
  called: Called;
}) {
  const { drop, watch, purchase, called } = props;
  const [onlyItem] = drop.items.length === 1 ? drop.items : [];
  const [quantities, setQuantities] = useState<ReadonlyMap<string, number>>(
    () => new Map(onlyItem ? [[onlyItem.sku, 1]] : []),
  );
  const [place, setPlace] = useState<Place>(purchase.place);
  const [coupon, setCoupon] = useState('');
  const [edition, setEdition] = useState(0);

  const lines: CartLine[] = drop.items.flatMap(({ sku }) => {
    const quantity = quantities.get(sku) ?? 0;
    return quantity > 0 ? [{ sku, quantity }] : [];
  });
  const chosenCount = lines.reduce((sum, line) => sum + line.quantity, 0);
  const quote = useQuote({ drop, lines, place, coupon, edition });
  const shown = quote.kind === 'quoted' ? quote.quoted : quote.kind === 'pricing' ? quote.last : null;

  const reserve = async () => {
    if (quote.kind !== 'quoted') return;
    const result = await purchase.reserve({ pass: called.pass, quote: quote.quoted, place, coupon });
    if (result === 'renew') setEdition(edition + 1);
  };

  return (
    <form
      className="checkout-form"
      onSubmit={event => {
        event.preventDefault();
        void reserve();
      }}
    >
      <ul className="choose-items">
        {drop.items.map(item => {
          const live = watch?.items.find(candidate => candidate.sku === item.sku);
          const quantity = quantities.get(item.sku) ?? 0;
          const availability = live?.availability ?? item.availability;
          const room = drop.perBuyerMax - chosenCount + quantity;
          return (
            <li key={item.sku}>
              <span className="choose-title">
                {item.title}
                <span className="hint figures">
                  <PriceNow item={item} />
                  {item.tiers?.map(
                    tier => ` · ${texts.checkout.tierOffer(tier.from, formatMoney(tier.price))}`,
                  )}
                  {availability !== 'available' && ` · ${texts.stock.availability[availability]}`}
                </span>
              </span>
              <QuantityPicker
                title={item.title}
                quantity={quantity}
                max={availability === 'sold-out' ? 0 : Math.min(room, live?.available || room)}
                onChange={next => setQuantities(new Map(quantities).set(item.sku, next))}
              />
            </li>
          );
        })}
      </ul>
      <p className="hint">
        {chosenCount >= drop.perBuyerMax
          ? texts.checkout.limitReached(drop.perBuyerMax)
          : texts.checkout.limit(drop.perBuyerMax)}
      </p>
      <PlaceFields label={texts.checkout.shipTo} place={place} onChange={setPlace} />
      <CouponField coupon={coupon} onChange={setCoupon} />
      <div className="choose-price" aria-busy={quote.kind === 'pricing'}>
        {shown && <PriceLines lines={shown.lines} total={shown.total} quoted={shown} />}
        {quote.kind === 'nothing' && <p className="hint">{texts.checkout.chooseSome}</p>}
        {quote.kind === 'pricing' && shown === null && <p className="hint">{texts.checkout.pricing}</p>}
        {quote.kind === 'refused' && (
          <p className="notice notice-alarm" role="alert">
            {quote.problem}
          </p>
        )}
      </div>
      <button
        type="submit"
        className="button button-wide"
        disabled={purchase.isBusy || quote.kind !== 'quoted'}
      >
        {purchase.isBusy ? texts.checkout.holding : texts.checkout.hold}
      </button>
      <p className="hint">{texts.checkout.holdHint}</p>
    </form>
  );
}
