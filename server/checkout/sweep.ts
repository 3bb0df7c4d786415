// One run of a sweep over one of Stripe's lists. A pass walks from the newest object down to where the one before began,
// and a stretch further, since objects may appear a little late; a run does a bounded piece of it and writes down how far
// it came. So the newest is always seen first, nothing is left out, and no run takes long.
import type { Listed, ListPage, PageRequest } from '../payments/payment-lists.ts';
import type { SweepName, SweepProgress, SweepsStore } from './sweeps.store.ts';
import { limits } from '../limits.ts';

export type SweepOutcome =
  /** `isWhole`: the pass has come to its end. */
  | { kind: 'swept'; pagesCount: number; foundCount: number; isWhole: boolean }
  /** Another process is at it, or the last pass began a moment ago. */
  | { kind: 'busy' | 'rested' };

export type Sweep = () => Promise<SweepOutcome>;

export function createSweep<T extends Listed>(deps: {
  name: SweepName;
  store: SweepsStore;
  list: (request: PageRequest) => Promise<ListPage<T>>;
  /** Takes in a page, newest first; answers how much of it had been missed. */
  take: (items: readonly T[]) => Promise<number>;
  /** Where a pass ends that begins at this time. */
  fromSec: (progress: SweepProgress, nowMs: number) => number;
  clock: { now(): number };
  /** This process, among all. */
  owner: string;
  pagesMax?: number;
}): Sweep {
  const { name, store, list, take, fromSec, clock, owner, pagesMax = limits.sweepPagesCount } = deps;

  return async () => {
    const nowMs = clock.now();
    const leaseEndMs = () => clock.now() + limits.sweepLeaseMs;
    const standing = await store.take({ name, owner, nowMs, untilMs: leaseEndMs() });
    if (!standing) return { kind: 'busy' };
    let progress = standing;
    const save = (untilMs: number) => store.save({ name, owner, progress, untilMs });
    const isDue = nowMs - progress.beganAtMs >= limits.sweepEveryMs;
    if (!progress.pass && !isDue) {
      await save(nowMs);
      return { kind: 'rested' };
    }
    let pass = progress.pass ?? { fromSec: fromSec(progress, nowMs), untilSec: null, after: null };
    if (!progress.pass) progress = { ...progress, beganAtMs: nowMs };
    let foundCount = 0;
    for (let pagesCount = 1; ; pagesCount += 1) {
      const page = await list({ fromSec: pass.fromSec, after: pass.after });
      if (page.kind === 'stale') {
        progress = { ...progress, pass: null, beganAtMs: 0 };
        await save(clock.now());
        return { kind: 'swept', pagesCount, foundCount, isWhole: false };
      }
      // What is taken in stands before the page counts as seen.
      foundCount += await take(page.items);
      const newestSec = pass.untilSec ?? page.items[0]?.createdSec ?? null;
      pass = { fromSec: pass.fromSec, untilSec: newestSec, after: page.items.at(-1)?.id ?? pass.after };
      const isWhole = !page.hasMore || page.items.length === 0;
      const seenToSec = newestSec ?? progress.seenToSec;
      progress = isWhole ? { ...progress, seenToSec, pass: null } : { ...progress, pass };
      const isOver = isWhole || pagesCount >= pagesMax;
      const isOurs = await save(isOver ? clock.now() : leaseEndMs());
      if (isOver || !isOurs) return { kind: 'swept', pagesCount, foundCount, isWhole };
    }
  };
}
