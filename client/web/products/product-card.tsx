import { Link } from 'wouter';
import type { SearchHit } from '../engine/types.ts';
import { formatMoney } from '../format/money.ts';
import { Highlight } from './highlight.tsx';
import { useLookup } from './lookup-context.ts';
import { ProductPicture } from './product-picture.tsx';
import { looksOf } from './sku-picture.tsx';

export function ProductCard({ hit }: { hit: SearchHit }) {
  // A hit with a photograph says all that is shown; only for a drawing the catalog is asked.
  const product = useLookup(hit.id, async lookup => (hit.image === undefined ? lookup.byId(hit.id) : null));
  const looks = hit.image === undefined ? looksOf(product) : { image: hit.image };
  const { title, brand } = hit.highlights;
  return (
    <li className="product-card">
      <ProductPicture title={`${hit.title} ${hit.categories.join(' ')}`} {...looks} />
      <h3>
        <Link href={`/products/${encodeURIComponent(hit.id)}`} className="card-link">
          {title === undefined ? hit.title : <Highlight html={title} />}
        </Link>
      </h3>
      <p className="product-facts">
        <span className="hint">
          {brand === undefined ? (hit.brand ?? hit.categories[0] ?? '') : <Highlight html={brand} />}
        </span>
        <span className="product-price figures">{formatMoney(hit.price)}</span>
      </p>
    </li>
  );
}
