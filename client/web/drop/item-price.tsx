import type { PriceNow } from '../../index.ts';
import { usePrice } from '../../react/index.ts';
import type { Drop } from '../engine/types.ts';
import { isoDuration, shortClock } from '../format/duration.ts';
import { formatMoney } from '../format/money.ts';
import { useTimeLeft } from '../live/use-time-left.ts';
import { texts } from '../texts/texts.ts';

/**
 * What an item costs now. Where the price falls, also what it falls to and when, on the server's time; the seconds are for
 * the eye alone, and a screen reader is told of each new price, once.
 */
export function ItemPrice({ item }: { item: Drop['items'][number] }) {
  const { price, next } = usePrice(item);
  const { lowest30Days } = item;
  return (
    <>
      {item.falling ? (
        <p className="stock-price figures" role="status">
          <span className="visually-hidden">{texts.stock.priceNow} </span>
          {formatMoney(price)}
        </p>
      ) : (
        <p className="stock-price figures">{formatMoney(item.price)}</p>
      )}
      {item.falling && (
        <p className="hint figures stock-beside">{next ? <NextStep next={next} /> : texts.stock.lowest}</p>
      )}
      {/* Beside a reduction, what it is compared with (Article 6a of Directive 98/6/EC). */}
      {lowest30Days && (
        <p className="hint figures stock-beside">{texts.products.lowestBefore(formatMoney(lowest30Days))}</p>
      )}
    </>
  );
}

function NextStep({ next }: { next: NonNullable<PriceNow['next']> }) {
  const leftMs = useTimeLeft(next.atMs);
  return (
    <>
      {texts.stock.fallsTo(formatMoney(next.price))}{' '}
      <time dateTime={isoDuration(leftMs)} role="timer">
        {shortClock(leftMs)}
      </time>
    </>
  );
}
