// Holds the index against the catalog, entry by entry, and names what differs. The two may change meanwhile: what seems
// to differ is looked at again by itself, and a difference is only what still is one while nothing is on its way.
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Catalog } from '../catalog/catalog.ts';
import { type ProductId, productIdSchema } from '../ids.ts';
import { limits } from '../limits.ts';
import { type AvailabilityLookup, entriesOf, type ProductEntry } from './product-entry.ts';
import type { SearchIndex } from './search-index.ts';

export interface Difference {
  readonly productId: string;
  /** `missing` from the index, `left-over` there, or `differs` in content. */
  readonly kind: 'missing' | 'left-over' | 'differs';
}

export interface Comparison {
  readonly productsCount: number;
  readonly entriesCount: number;
  readonly differences: Difference[];
}

interface Sides {
  readonly catalog: Pick<Catalog, 'pageIds' | 'indexStates'>;
  readonly index: Pick<SearchIndex, 'entries' | 'entry'>;
  readonly availabilityOf: AvailabilityLookup;
  /** Another collection than the one that is searched. */
  readonly collection?: string;
}

export async function compareIndex(
  sides: Sides & { onProgress?: (doneCount: number) => void },
): Promise<Comparison> {
  const { differences: suspects, ...counts } = await compareAll(sides);
  let differences = suspects;
  for (let look = 0; look < limits.compareLooksCount && differences.length > 0; look += 1) {
    // What is on its way arrives within this; what does not is a difference.
    if (look > 0) await pause(limits.compareAgainMs);
    const still: Difference[] = [];
    for (const { productId } of differences) {
      const difference = await compareOne(sides, productId);
      if (difference) still.push(difference);
    }
    differences = still;
  }
  return { ...counts, differences };
}

async function compareAll(sides: Sides & { onProgress?: (doneCount: number) => void }): Promise<Comparison> {
  const { catalog, index, availabilityOf, collection, onProgress } = sides;
  const indexed = new Map<string, string>();
  for await (const entry of index.entries(collection)) indexed.set(entry.id, digestOf(entry));
  const entriesCount = indexed.size;
  const differences: Difference[] = [];
  let productsCount = 0;
  let after: ProductId | null = null;
  for (;;) {
    // By ranges of ids alone: a page of the list may cost MongoDB a look at the whole catalog.
    const ids: ProductId[] = await catalog.pageIds({ after, limit: limits.reindexBatchCount });
    const last = ids.at(-1);
    if (last === undefined) break;
    after = last;
    const products = (await catalog.indexStates(ids)).flatMap(({ product }) => product ?? []);
    for (const entry of await entriesOf(products, availabilityOf)) {
      const digest = indexed.get(entry.id);
      indexed.delete(entry.id);
      if (digest === undefined) differences.push({ productId: entry.id, kind: 'missing' });
      else if (digest !== digestOf(entry)) differences.push({ productId: entry.id, kind: 'differs' });
    }
    productsCount += products.length;
    onProgress?.(productsCount);
  }
  for (const productId of indexed.keys()) differences.push({ productId, kind: 'left-over' });
  return { productsCount, entriesCount, differences };
}

/** Null where the two agree, and where a change was on its way or came between: then nothing can be said yet. */
async function compareOne(sides: Sides, productId: string): Promise<Difference | null> {
  const { catalog, index, availabilityOf, collection } = sides;
  const known = productIdSchema.safeParse(productId);
  if (!known.success) return { productId, kind: 'left-over' };
  const before = await stateOf(known.data);
  const entry = await index.entry(productId, collection);
  const expected = before.product ? (await entriesOf([before.product], availabilityOf))[0] : undefined;
  const after = await stateOf(known.data);
  if (!before.indexed || !after.indexed || before.indexRev !== after.indexRev) return null;
  if (!expected) return entry ? { productId, kind: 'left-over' } : null;
  if (!entry) return { productId, kind: 'missing' };
  return digestOf(entry) === digestOf(expected) ? null : { productId, kind: 'differs' };

  async function stateOf(id: ProductId) {
    const [state] = await catalog.indexStates([id]);
    // What the catalog has never had, or has forgotten, is in no index.
    return state ?? { product: null, indexed: true, indexRev: 0 };
  }
}

/** Of the content, whatever order its fields came in. */
function digestOf(entry: ProductEntry): string {
  const fields = Object.entries(entry).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(fields)).digest('base64url');
}
