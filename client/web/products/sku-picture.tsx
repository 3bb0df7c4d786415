import type { Product } from '../engine/types.ts';
import { useLookup } from './lookup-context.ts';
import { ProductPicture } from './product-picture.tsx';

/** The picture of what a drop sells: by the SKU's own colour, from its product. */
export function SkuPicture({ sku, title }: { sku: string; title: string }) {
  const product = useLookup(sku, lookup => lookup.bySku(sku, title));
  return <ProductPicture title={title} {...looksOf(product, sku)} />;
}

/** What the catalog says of how a product, or one of its variants, looks. */
export function looksOf(
  product: Product | null,
  sku?: string,
): { image?: string | undefined; colour?: string | undefined; icon?: string | undefined } {
  if (!product) return {};
  const variant = product.variants.find(candidate => candidate.sku === sku) ?? product.variants[0];
  const attribute = (...names: string[]) => {
    const values = names.map(name => variant?.attributes?.[name]);
    return values.find((value): value is string => typeof value === 'string');
  };
  return { image: product.images[0], colour: attribute('hex', 'colour', 'color'), icon: attribute('icon') };
}
