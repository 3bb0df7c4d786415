// An import in parts: records of a file, as many as fit a call, mapped and written as `npm run import` does it, with the
// same words for what was refused and why. Checking writes nothing. A product that stands twice in one part is refused
// the second time; over the whole file that is for the caller to see, who is told each record's product.
import type { Catalog } from './catalog.ts';
import { outcomeOf } from './import-outcome.ts';
import { mapProduct, type Problem } from './map-product.ts';
import type { ProductInput } from './product.ts';

export interface ImportRecord {
  /** From 1, over the whole file. */
  readonly number: number;
  readonly value: unknown;
  /** Further rows of a table that belong to the product. */
  readonly moreVariants?: readonly unknown[] | undefined;
}

export interface ImportResult {
  readonly record: number;
  /** `good`: would go in. */
  readonly kind: 'good' | 'created' | 'updated' | 'unchanged' | 'refused';
  readonly productId?: string;
  /** Why it was refused, field by field. */
  readonly problems: readonly Problem[];
  /** What was put right in it. */
  readonly adjusted: readonly Problem[];
  readonly ignoredFields: readonly string[];
}

export type ImportRecords = (
  records: readonly ImportRecord[],
  options: { currency: string; dryRun: boolean },
) => Promise<ImportResult[]>;

export function createImportRecords(catalog: Pick<Catalog, 'upsertMany'>): ImportRecords {
  return async (records, { currency, dryRun }) => {
    const results = new Map<number, ImportResult>();
    const good: { record: number; product: ProductInput; adjusted: Problem[]; ignoredFields: string[] }[] =
      [];
    const firstOf = new Map<string, number>();
    const refuse = (record: number, problems: readonly Problem[]) =>
      results.set(record, { record, kind: 'refused', problems, adjusted: [], ignoredFields: [] });
    for (const { number, value, moreVariants } of records) {
      const mapped = mapProduct(value, { currency, moreVariants });
      if (mapped.kind === 'refused') {
        refuse(number, mapped.problems);
        continue;
      }
      const { product, adjusted, ignoredFields } = mapped;
      const first = firstOf.get(product.productId);
      if (first !== undefined) {
        refuse(number, [{ field: 'productId', reason: `is the same product as record ${first}` }]);
        continue;
      }
      firstOf.set(product.productId, number);
      good.push({ record: number, product, adjusted, ignoredFields });
    }
    const outcomes = dryRun ? [] : (await catalog.upsertMany(good.map(each => each.product))).map(outcomeOf);
    for (const [index, { record, product, adjusted, ignoredFields }] of good.entries()) {
      const outcome = outcomes[index];
      if (outcome?.kind === 'refused') refuse(record, [{ field: outcome.field, reason: outcome.reason }]);
      else {
        const { productId } = product;
        const kind = outcome?.kind ?? 'good';
        results.set(record, { record, kind, productId, problems: [], adjusted, ignoredFields });
      }
    }
    return records.flatMap(({ number }) => results.get(number) ?? []);
  };
}
