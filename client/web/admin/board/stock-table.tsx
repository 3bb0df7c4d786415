import { formatCount } from '../../format/number.ts';
import { words } from '../texts/texts.ts';
import type { DropStats } from './drop-stats.ts';

export function StockTable({
  stock,
  titles,
}: {
  stock: DropStats['stock'];
  titles: readonly { readonly sku: string; readonly title: string }[];
}) {
  const text = words.board;
  const titleOf = new Map<string, string>(titles.map(({ sku, title }) => [sku, title]));
  // In the order that the shop gave the drop's items; Redis knows none.
  const placeOf = new Map<string, number>(titles.map(({ sku }, index) => [sku, index]));
  const sorted = stock.toSorted((a, b) => (placeOf.get(a.sku) ?? 0) - (placeOf.get(b.sku) ?? 0));
  const columns = ['available', 'held', 'sold', 'withdrawn', 'total'] as const;
  return (
    <section className="sheet">
      <table className="table stock-table">
        <caption>{text.stockTitle}</caption>
        <thead>
          <tr>
            <th scope="col">{text.sku}</th>
            {columns.map(column => (
              <th key={column} scope="col" className="is-number">
                {text[column]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.map(item => (
            <tr key={item.sku}>
              <th scope="row">
                {titleOf.get(item.sku) ?? item.sku}
                <code className="under">{item.sku}</code>
              </th>
              {columns.map(column => (
                <td
                  key={column}
                  data-name={text[column]}
                  className={`is-number figures ${column === 'available' && item.available === 0 ? 'is-out' : ''}`}
                >
                  {formatCount(item[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
