import { usePrice } from '../../react/index.ts';
import type { Drop } from '../engine/types.ts';
import { isoDuration, shortClock } from '../format/duration.ts';
import { formatMoney } from '../format/money.ts';
import { texts } from '../texts/texts.ts';

/**
 * What an item costs now. Where the price falls, also what it falls to and when, on the server's time; the seconds are for
 * the eye alone, and a screen reader is told of each new price, once.
 */
export function ItemPrice({ item }: { item: Drop['items'][number] }) {
  const { price, next, secondsToNext } = usePrice(item);
  if (!item.falling) return <p className="stock-price figures">{formatMoney(item.price)}</p>;
  const leftMs = (secondsToNext ?? 0) * 1_000;
  return (
    <div className="stock-falling">
      <p className="stock-price figures" role="status">
        <span className="visually-hidden">{texts.stock.priceNow} </span>
        {formatMoney(price)}
      </p>
      <p className="hint figures">
        {next ? (
          <>
            {texts.stock.fallsTo(formatMoney(next.price))}{' '}
            <time dateTime={isoDuration(leftMs)} role="timer">
              {shortClock(leftMs)}
            </time>
          </>
        ) : (
          texts.stock.lowest
        )}
      </p>
    </div>
  );
}
