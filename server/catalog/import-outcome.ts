// What became of one imported product, in the words of an import's report.
import type { WriteOutcome } from './catalog.ts';

export type ImportedOutcome =
  | { kind: 'created' | 'updated' | 'unchanged' }
  | { kind: 'refused'; field: string; reason: string };

export function outcomeOf(outcome: WriteOutcome): ImportedOutcome {
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
