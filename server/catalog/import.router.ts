// `admin.product.check` and `admin.product.import`: an import through a page, in parts that each fit a body.
import { z } from 'zod';
import { limits } from '../limits.ts';
import { currencySchema } from '../money.ts';
import { router, staffProcedure } from '../trpc.ts';
import type { Catalog } from './catalog.ts';
import { createImportRecords } from './import-records.ts';

export const importInputSchema = z.strictObject({
  records: z
    .array(
      z.strictObject({
        number: z.int().min(1).max(Number.MAX_SAFE_INTEGER),
        /** As it stands in the file: flat, or as `admin.product.upsert` takes it. */
        value: z.unknown(),
        /** Further rows of a table that belong to the product: its variants. */
        moreVariants: z.array(z.unknown()).max(limits.importRecordsCount).optional(),
      }),
    )
    .min(1)
    .max(limits.importRecordsCount)
    .refine(
      records => new Set(records.map(({ number }) => number)).size === records.length,
      'a record stands there twice',
    ),
  /** Of prices that name none. */
  currency: currencySchema,
});
const problemsSchema = z.array(z.object({ field: z.string(), reason: z.string() })).readonly();
export const importOutputSchema = z.object({
  results: z.array(
    z.object({
      record: z.int(),
      kind: z.enum(['good', 'created', 'updated', 'unchanged', 'refused']),
      productId: z.string().optional(),
      problems: problemsSchema,
      adjusted: problemsSchema,
      ignoredFields: z.array(z.string()).readonly(),
    }),
  ),
});

export function createImportRouter(catalog: Catalog) {
  const importRecords = createImportRecords(catalog);
  return router({
    // A mutation for its size alone: it changes nothing, so it is not written down.
    check: staffProcedure('admin', { isEffective: false })
      .input(importInputSchema)
      .output(importOutputSchema)
      .mutation(async ({ input: { records, currency } }) => ({
        results: await importRecords(records, { currency, dryRun: true }),
      })),
    import: staffProcedure('admin')
      .input(importInputSchema)
      .output(importOutputSchema)
      .mutation(async ({ input: { records, currency } }) => ({
        results: await importRecords(records, { currency, dryRun: false }),
      })),
  });
}
