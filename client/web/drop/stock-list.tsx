import type { Drop, DropWatch } from '../engine/types.ts';
import { SkuPicture } from '../products/sku-picture.tsx';
import { texts } from '../texts/texts.ts';
import { ItemPrice } from './item-price.tsx';
import { StockBar } from './stock-bar.tsx';

/** What the drop sells: each SKU with its price and what is left of it. */
export function StockList({ drop, watch }: { drop: Drop; watch: DropWatch | null }) {
  return (
    <section className="stock-list" aria-labelledby="stock-list-title">
      <h2 id="stock-list-title">{texts.stock.title}</h2>
      <ul>
        {drop.items.map(item => {
          const live = watch?.items.find(candidate => candidate.sku === item.sku);
          return (
            <li key={item.sku} className="stock-item">
              <SkuPicture sku={item.sku} title={item.title} />
              <div className="stock-facts">
                <div className="stock-head">
                  <h3>{item.title}</h3>
                  <ItemPrice item={item} />
                </div>
                <StockBar
                  title={item.title}
                  available={live?.available ?? null}
                  total={item.total}
                  availability={live?.availability ?? item.availability}
                />
              </div>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
