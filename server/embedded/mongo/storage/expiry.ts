/** TTL indexes: documents whose date is `expireAfterSeconds` in the past are deleted, a bounded number at a time. */
import { collectRowIds, parseSelection } from '../query/find.ts';
import type { Catalog } from './catalog.ts';

/** What one sweep deletes of one index at most, so that a turn stays short. */
const SWEEP_MAX = 1_000;

export function sweepExpired(catalog: Catalog, nowMs: number): number {
  let gone = 0;
  for (const collection of catalog.list()) {
    for (const { spec } of collection.indexes) {
      const [field] = spec.fields;
      if (spec.expireAfterSeconds === undefined || !field) continue;
      const filter = { [field.path]: { $lte: new Date(nowMs - spec.expireAfterSeconds * 1000) } };
      for (const rowId of collectRowIds(
        collection,
        parseSelection({ filter, limit: SWEEP_MAX, hint: spec.name }),
      )) {
        const stored = collection.read(rowId);
        if (!stored) continue;
        collection.remove(stored);
        gone += 1;
      }
    }
  }
  return gone;
}
