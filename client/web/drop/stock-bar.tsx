import type { Availability } from '../engine/types.ts';
import { texts } from '../texts/texts.ts';

/** How much of one SKU is left, as a bar of segments and in words. */
export function StockBar(props: {
  title: string;
  /** Null while only the availability is known. */
  available: number | null;
  total: number;
  availability: Availability;
}) {
  const { title, available, total, availability } = props;
  const shown = available ?? (availability === 'available' ? total : 0);
  const share = total > 0 ? Math.min(1, shown / total) : 0;
  const words = available === null ? '' : texts.stock.left(available, total);
  // One unit left is visible, however many there were.
  const percent = share === 0 ? 0 : Math.max(1.5, share * 100);
  return (
    <div className={`stock-bar stock-${availability}`}>
      <div
        className="stock-track"
        role="meter"
        aria-label={texts.stock.barLabel(title)}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={shown}
        aria-valuetext={[texts.stock.availability[availability], words].filter(Boolean).join(', ')}
      >
        <div className="stock-fill" style={{ width: `${percent}%` }} />
      </div>
      <p className="stock-words figures">
        <span className="stock-availability">{texts.stock.availability[availability]}</span>
        <span>{words}</span>
      </p>
    </div>
  );
}
