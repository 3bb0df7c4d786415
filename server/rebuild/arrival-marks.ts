// Keeps the marks ahead of the arrivals: a block of each lane's numbers is reserved in MongoDB before the first of them
// is given, so that joining waits for no database, and a Redis that has lost its newest tickets gives none of their
// numbers again. What is reserved and was never given costs calls that nobody claims, so blocks are small while few come
// and double while a crowd is quicker than they are.
import { lanes, type Lane } from '../drops/drop.ts';
import type { DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { EpochsStore, Marks } from './epochs.store.ts';
import type { RebuildStore } from './rebuild.store.ts';

export interface ArrivalMarks {
  /** Reserves what a new drop begins with; answers how many of each lane. */
  first(dropId: DropId): Promise<number>;
  /** Raises the marks that arrivals have come close to. */
  keep(dropId: DropId): Promise<void>;
}

const sameMarks = (mark: number): Marks => ({ general: mark, priority: mark, late: mark });

export function createArrivalMarks(options: {
  store: EpochsStore;
  live: Pick<RebuildStore, 'mark'>;
}): ArrivalMarks {
  const { store, live } = options;
  const blocks = new Map<string, { size: number; raisedAtMs: number }>();
  const underWay = new Map<DropId, Promise<void>>();

  const blockOf = (dropId: DropId, lane: Lane): number => {
    const name = `${dropId}/${lane}`;
    const { min, max } = limits.arrivalBlockCount;
    const nowMs = performance.now();
    const before = blocks.get(name) ?? { size: min / 2, raisedAtMs: 0 };
    const quick = nowMs - before.raisedAtMs < limits.arrivalBlockMs;
    const size = Math.min(max, Math.max(min, quick ? before.size * 2 : before.size / 2));
    blocks.set(name, { size, raisedAtMs: nowMs });
    return size;
  };
  const raise = async (dropId: DropId) => {
    const seen = await live.mark(dropId, {});
    if (!seen) return;
    const near = lanes.filter(
      lane => seen.marks[lane] - seen.arrived[lane] < limits.arrivalBlockCount.min / 2,
    );
    if (near.length === 0) return;
    const wanted = { ...seen.marks };
    for (const lane of near) wanted[lane] = Math.ceil(seen.arrived[lane] + blockOf(dropId, lane));
    await live.mark(dropId, await store.raise(dropId, wanted));
  };
  return {
    async first(dropId) {
      const { marks } = await store.ensure(dropId, sameMarks(limits.arrivalBlockCount.min));
      return Math.min(...Object.values(marks));
    },
    keep(dropId) {
      const raising = underWay.get(dropId) ?? raise(dropId).finally(() => underWay.delete(dropId));
      underWay.set(dropId, raising);
      return raising;
    },
  };
}
