// Coupons as pricing asks about them. The catalog is asked only where a coupon names categories.
import type { Catalog } from '../catalog/catalog.ts';
import { skuSchema, type Sku } from '../ids.ts';
import type { JudgeCoupon } from '../pricing/pricing.ts';
import type { Coupons } from './coupons.ts';

export function createJudgeCoupon(deps: {
  coupons: Pick<Coupons, 'judge' | 'namesCategories'>;
  catalog: Pick<Catalog, 'variantsBySku' | 'product'>;
}): JudgeCoupon {
  const { coupons, catalog } = deps;
  const categoriesOf = async (skus: readonly Sku[]): Promise<Map<string, readonly string[]>> => {
    const variants = await catalog.variantsBySku(skus);
    const found = await Promise.all(
      [...variants].map(async ([sku, { productId }]): Promise<[string, readonly string[]]> => {
        const product = await catalog.product(productId);
        return [sku, product?.categories ?? []];
      }),
    );
    return new Map(found);
  };
  return async (code, buyerId, cart) => {
    const named = (await coupons.namesCategories(code))
      ? await categoriesOf(cart.lines.map(({ sku }) => skuSchema.parse(sku)))
      : new Map<string, readonly string[]>();
    return coupons.judge(code, buyerId, { ...cart, categoriesOf: sku => named.get(sku) ?? [] });
  };
}
