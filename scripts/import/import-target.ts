// Where an import writes to: straight into the catalog of a running installation, or through the API of a remote one.
import type { WriteOutcome } from '../../server/catalog/catalog.ts';
import type { ProductInput } from '../../server/catalog/product.ts';

export type ImportOutcome =
  | { kind: 'created' | 'updated' | 'unchanged' | 'written' }
  | { kind: 'refused'; field: string; reason: string };

export interface ImportTarget {
  /** As many products as it takes at once. */
  readonly batchCount: number;
  /** In the order of the products; their ids differ. Throws where the catalog cannot be reached. */
  write(products: readonly ProductInput[]): Promise<ImportOutcome[]>;
  /** How many products the search index still has to take; null where that cannot be known. */
  dueCount(): Promise<number | null>;
  close(): Promise<void>;
}

export function outcomeOf(outcome: WriteOutcome): ImportOutcome {
  switch (outcome.kind) {
    case 'created':
    case 'updated':
    case 'unchanged':
      return { kind: outcome.kind };
    case 'sku-taken':
      return {
        kind: 'refused',
        field: 'variants.sku',
        reason: `${outcome.sku} belongs to product ${outcome.by}`,
      };
    case 'slug-taken':
      return { kind: 'refused', field: 'slug', reason: `${outcome.slug} belongs to product ${outcome.by}` };
    case 'rev-differs':
    case 'contended':
      return {
        kind: 'refused',
        field: 'productId',
        reason: 'others kept changing this product at the same time',
      };
  }
}
