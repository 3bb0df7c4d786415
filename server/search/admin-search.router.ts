// `admin.search`: what the shop says of search: which words mean the same, and what comes first.
import { z } from 'zod';
import { wordSequenceOf } from '../catalog/catalog.rules.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { productIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { router, staffProcedure } from '../trpc.ts';
import type { ChosenResults } from './chosen-results.ts';

const termSchema = z
  .string()
  .trim()
  .max(60)
  .refine(text => {
    const { length } = wordSequenceOf(text);
    return length >= 1 && length <= 5;
  }, 'one to five words');

const synonymsSchema = z.object({ id: z.string(), terms: z.array(z.string()), root: z.string().optional() });
const ruleIdSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower-case letters, digits and hyphens');

const chosenSchema = z.object({
  text: z.string(),
  pinned: z.array(productIdSchema),
  hidden: z.array(productIdSchema),
});
const searchedSchema = z
  .string()
  .max(limits.searchTextChars)
  .refine(text => wordSequenceOf(text).length > 0, 'a text with a letter or a digit');
const productsSchema = z
  .array(productIdSchema)
  .max(limits.pinnedCount)
  .refine(ids => new Set(ids).size === ids.length, 'a product stands there twice')
  .default([]);

const putSchema = z.object({ kind: z.enum(['put', 'full']) });
const removedSchema = z.object({ kind: z.enum(['removed', 'absent']) });

export function createAdminSearchRouter(deps: {
  catalog: Pick<Catalog, 'synonyms' | 'putSynonyms' | 'removeSynonyms'>;
  chosen: ChosenResults;
}) {
  const { catalog, chosen } = deps;
  return router({
    synonyms: staffProcedure('viewer')
      .output(z.object({ items: z.array(synonymsSchema) }))
      .query(async () => ({
        items: (await catalog.synonyms()).map(rule => ({ ...rule, terms: [...rule.terms] })),
      })),
    putSynonyms: staffProcedure('admin')
      .input(
        z
          .strictObject({
            id: ruleIdSchema,
            terms: z.array(termSchema).min(1).max(limits.synonymTermsCount),
            root: termSchema.optional(),
          })
          .refine(
            ({ terms, root }) => root !== undefined || terms.length > 1,
            'one term alone has no synonym',
          ),
      )
      .output(putSchema)
      .mutation(async ({ input }) => ({ kind: await catalog.putSynonyms(input) })),
    removeSynonyms: staffProcedure('admin')
      .input(z.strictObject({ id: ruleIdSchema }))
      .output(removedSchema)
      .mutation(async ({ input }) => ({
        kind: (await catalog.removeSynonyms(input.id)) ? 'removed' : 'absent',
      })),

    results: staffProcedure('viewer')
      .output(z.object({ items: z.array(chosenSchema) }))
      .query(async () => ({
        items: (await chosen.list()).map(rule => ({
          ...rule,
          pinned: [...rule.pinned],
          hidden: [...rule.hidden],
        })),
      })),
    putResults: staffProcedure('admin')
      .input(
        z
          .strictObject({ text: searchedSchema, pinned: productsSchema, hidden: productsSchema })
          .refine(
            ({ pinned, hidden }) => !pinned.some(id => hidden.includes(id)),
            'a product is pinned and hidden',
          ),
      )
      .output(putSchema)
      .mutation(async ({ input }) => ({ kind: await chosen.put(input) })),
    removeResults: staffProcedure('admin')
      .input(z.strictObject({ text: searchedSchema }))
      .output(removedSchema)
      .mutation(async ({ input }) => ({ kind: (await chosen.remove(input.text)) ? 'removed' : 'absent' })),
  });
}
