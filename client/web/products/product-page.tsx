import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'wouter';
import { failureOf } from '../../index.ts';
import { StateBadge } from '../drop/state-badge.tsx';
import { useEngine } from '../engine/engine-context.ts';
import { explainFailure } from '../engine/explain.ts';
import type { Product, Variant } from '../engine/types.ts';
import { formatMoney } from '../format/money.ts';
import { NotFound } from '../frame/not-found.tsx';
import { Notice } from '../frame/notice-page.tsx';
import { Page } from '../frame/page.tsx';
import { PageLoading } from '../frame/page-loading.tsx';
import { byUrgency, isOver } from '../live/choose-drop.ts';
import { useDropViews } from '../live/use-drop-views.ts';
import { texts } from '../texts/texts.ts';
import { ProductPicture } from './product-picture.tsx';
import { looksOf } from './sku-picture.tsx';

export function ProductPage({ productId }: { productId: string }) {
  const { api } = useEngine();
  const { data, error } = useQuery({
    queryKey: ['product', productId],
    async queryFn({ signal }) {
      try {
        return await api.catalog.product.query({ id: productId }, { signal });
      } catch (failure) {
        const { code } = failureOf(failure);
        if (code === 'NOT_FOUND' || code === 'BAD_REQUEST') return null;
        throw failure;
      }
    },
  });
  if (data === null) return <NotFound what={texts.products.missing} />;
  if (data) return <Found product={data} />;
  return error ? <Notice title={texts.products.title} text={explainFailure(error)} /> : <PageLoading />;
}

function Found({ product }: { product: Product }) {
  const { title, brand, categories, description, variants } = product;
  const prices = variants.map(variant => variant.price).toSorted((one, other) => one.amount - other.amount);
  const [lowest] = prices;
  const isOnePrice = lowest?.amount === prices.at(-1)?.amount;
  return (
    <Page title={title} className="product-page">
      <Pictures product={product} />
      <div className="product-words">
        <p className="hint product-kind">
          {brand !== undefined && <Link href={`/search?brand=${encodeURIComponent(brand)}`}>{brand}</Link>}
          {categories.map(category => (
            <Link key={category} href={`/search?category=${encodeURIComponent(category)}`}>
              {category}
            </Link>
          ))}
        </p>
        <h1>{title}</h1>
        {lowest && (
          <p className="product-page-price figures">
            {isOnePrice ? formatMoney(lowest) : texts.products.from(formatMoney(lowest))}
          </p>
        )}
        {description !== undefined && <p className="product-description">{description}</p>}
        <Variants variants={variants} />
        {/* Last, since it is known last: nothing below it is pushed about. */}
        <DropsOf variants={variants} />
      </div>
    </Page>
  );
}

/** The pictures, one large; a product without photographs is drawn. */
function Pictures({ product }: { product: Product }) {
  const [shown, setShown] = useState(0);
  const { images, title, categories } = product;
  const looks = looksOf(product);
  const image = images[shown] ?? images[0];
  return (
    <div className="product-pictures">
      <ProductPicture
        title={`${title} ${categories.join(' ')}`}
        {...looks}
        {...(image === undefined ? {} : { image })}
        isFirst
      />
      {images.length > 1 && (
        <ul>
          {images.map((address, place) => (
            <li key={address}>
              <button
                type="button"
                aria-label={texts.products.picture(place + 1)}
                aria-pressed={place === shown}
                onClick={() => setShown(place)}
              >
                <ProductPicture title={title} image={address} />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Things are sold in drops only: which ones sell this. */
function DropsOf({ variants }: { variants: readonly Variant[] }) {
  const { drops } = useDropViews();
  if (drops === null) return <div className="product-drops" aria-busy="true" />;
  const skus = new Set<string>(variants.map(variant => variant.sku));
  const selling = byUrgency(drops).filter(
    drop => !isOver(drop.state) && drop.items.some(item => skus.has(item.sku)),
  );
  return (
    <div className="product-drops">
      {selling.length === 0 && <p className="hint">{texts.products.notOnSale}</p>}
      {selling.length > 0 && <h2>{texts.products.onSale}</h2>}
      {selling.map(drop => (
        <Link key={drop.dropId} href={`/drops/${drop.dropId}`} className="product-drop">
          <span>{drop.title}</span>
          <StateBadge state={drop.state} />
        </Link>
      ))}
    </div>
  );
}

/** Each asks for its own history: a product with more variants than this is read in the API. */
const historiesMax = 24;

/** Beside a reduction, what it is compared with (Article 6a of Directive 98/6/EC). */
function LowestBefore({ variant }: { variant: Variant }) {
  const { api } = useEngine();
  const { sku, price } = variant;
  const { data } = useQuery({
    queryKey: ['priceHistory', sku, price.currency, price.amount],
    queryFn: ({ signal }) => api.catalog.priceHistory.query({ sku, currency: price.currency }, { signal }),
  });
  if (!data?.reduction) return null;
  return (
    <span className="hint figures">
      {texts.products.lowestBefore(formatMoney(data.reduction.lowest30Days))}
    </span>
  );
}

function Variants({ variants }: { variants: readonly Variant[] }) {
  const isFew = variants.length <= historiesMax;
  return (
    <div className="product-variants">
      <h2>{texts.products.variants}</h2>
      <ul>
        {variants.map(variant => (
          <li key={variant.sku}>
            <span>
              <strong>{variant.title ?? variant.sku}</strong>
              <span className="hint">{factsOf(variant)}</span>
              {isFew && <LowestBefore variant={variant} />}
            </span>
            <span className="figures">{formatMoney(variant.price)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Attributes that say how a thing is drawn, not what it is. */
const drawnBy: ReadonlySet<string> = new Set(['hex', 'icon']);

/** `power watts 9`: what the variant's own name does not say already. */
function factsOf({ title, attributes = {} }: Variant): string {
  return Object.entries(attributes)
    .filter(([name, value]) => !drawnBy.has(name) && String(value).toLowerCase() !== title?.toLowerCase())
    .map(([name, value]) => `${name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()} ${value}`)
    .join(' · ');
}
