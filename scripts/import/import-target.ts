// Where an import writes to: straight into the catalog of a running installation, or through the API of a remote one.
import type { ImportedOutcome } from '../../server/catalog/import-outcome.ts';
import type { ProductInput } from '../../server/catalog/product.ts';

/** `written`: a remote server does not say whether anything changed. */
export type ImportOutcome = ImportedOutcome | { kind: 'written' };

export interface ImportTarget {
  /** As many products as it takes at once. */
  readonly batchCount: number;
  /** In the order of the products; their ids differ. Throws where the catalog cannot be reached. */
  write(products: readonly ProductInput[]): Promise<ImportOutcome[]>;
  /** How many products the search index still has to take; null where that cannot be known. */
  dueCount(): Promise<number | null>;
  close(): Promise<void>;
}
