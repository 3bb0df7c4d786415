import { createContext, useContext, useEffect, useState } from 'react';
import type { Product } from '../engine/types.ts';
import type { ProductLookup } from './product-lookup.ts';

export const LookupContext = createContext<ProductLookup | null>(null);

/** What the lookup finds, null until then. `key` says what is looked for: when it changes, it is looked for anew. */
export function useLookup(
  key: string,
  find: (lookup: ProductLookup) => Promise<Product | null>,
): Product | null {
  const lookup = useContext(LookupContext);
  const [found, setFound] = useState<{ key: string; product: Product | null } | null>(null);
  useEffect(() => {
    if (!lookup) return undefined;
    let isWanted = true;
    const look = async () => {
      const product = await find(lookup);
      if (isWanted) setFound({ key, product });
    };
    void look();
    return () => {
      isWanted = false;
    };
    // `key` stands for what `find` looks for.
  }, [lookup, key]);
  return found?.key === key ? found.product : null;
}
