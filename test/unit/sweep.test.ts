// A sweep over a list that grows while it is walked: bounded runs, and yet everything is seen.
import { describe, expect, it } from 'vitest';
import { createSweep, type Sweep } from '../../server/checkout/sweep.ts';
import { limits } from '../../server/limits.ts';
import type { Listed, ListPage, PageRequest } from '../../server/payments/payment-lists.ts';
import type { SweepProgress, SweepsStore } from '../../server/checkout/sweeps.store.ts';

const pageCount = 3;

/** Stripe's list, its clock, and the document that sweeps share. */
function createList() {
  const objects: Listed[] = [];
  let nowMs = 1_000_000_000;
  let lease: { owner: string; untilMs: number } = { owner: '', untilMs: 0 };
  let progress: SweepProgress = { seenToSec: null, beganAtMs: 0, pass: null };
  const seen: string[] = [];
  let fails = false;

  const store: SweepsStore = {
    take({ owner, nowMs: atMs, untilMs }) {
      if (lease.untilMs > atMs) return Promise.resolve(null);
      lease = { owner, untilMs };
      return Promise.resolve(progress);
    },
    save({ owner, progress: next, untilMs }) {
      if (lease.owner !== owner) return Promise.resolve(false);
      lease = { owner, untilMs };
      progress = next;
      return Promise.resolve(true);
    },
  };
  const list = ({ fromSec, after }: PageRequest): Promise<ListPage<Listed>> => {
    const newestFirst = objects.toReversed().filter(object => object.createdSec >= fromSec);
    const at = after === null ? 0 : newestFirst.findIndex(object => object.id === after) + 1;
    if (after !== null && at === 0) return Promise.resolve({ kind: 'stale' });
    const items = newestFirst.slice(at, at + pageCount);
    return Promise.resolve({ kind: 'page', items, hasMore: at + pageCount < newestFirst.length });
  };
  const open = (owner: string, pagesMax = 2, backSec = 10): Sweep =>
    createSweep({
      name: 'events',
      store,
      list,
      take(items) {
        if (fails) return Promise.reject(new Error('MongoDB is away'));
        const fresh = items.filter(({ id }) => !seen.includes(id));
        seen.push(...fresh.map(({ id }) => id));
        return Promise.resolve(fresh.length);
      },
      fromSec: ({ seenToSec }) => (seenToSec === null ? 0 : seenToSec - backSec),
      clock: { now: () => nowMs },
      owner,
      pagesMax,
    });
  return {
    open,
    seen,
    add(count: number) {
      for (let index = 0; index < count; index += 1)
        objects.push({ id: `evt_${objects.length}`, createdSec: Math.floor(nowMs / 1_000) });
    },
    forward(ms: number) {
      nowMs += ms;
    },
    setFails(value: boolean) {
      fails = value;
    },
    removeAll: () => objects.splice(0),
    ids: () => objects.map(({ id }) => id),
    get progress() {
      return progress;
    },
  };
}

describe('a sweep', () => {
  it('does a bounded piece in each run, goes on where it was, and sees everything once', async () => {
    const world = createList();
    world.add(20);
    const sweep = world.open('a');
    expect(await sweep()).toEqual({ kind: 'swept', pagesCount: 2, foundCount: 6, isWhole: false });
    // What comes meanwhile is newer than where the pass began: the next one finds it.
    world.forward(1_000);
    world.add(2);
    let runs = 1;
    while (world.progress.pass) {
      await world.open('b')();
      runs += 1;
    }
    expect(runs).toBe(4);
    expect(await sweep()).toEqual({ kind: 'rested' });
    world.forward(limits.sweepEveryMs);
    expect(await sweep()).toMatchObject({ foundCount: 2 });
    while (world.progress.pass) await sweep();
    expect(world.seen.toSorted()).toEqual(world.ids().toSorted());
  });

  it('looks back over a stretch, for what showed late', async () => {
    const world = createList();
    world.add(2);
    const sweep = world.open('a', 10);
    await sweep();
    world.add(1);
    world.forward(limits.sweepEveryMs);
    expect(await sweep()).toMatchObject({ foundCount: 1, isWhole: true });
  });

  it('counts a page as seen only once it is taken in', async () => {
    const world = createList();
    world.add(4);
    const sweep = world.open('a', 10);
    world.setFails(true);
    await expect(sweep()).rejects.toThrow('MongoDB is away');
    world.setFails(false);
    expect(await world.open('b', 10)()).toEqual({ kind: 'busy' });
    // Whoever died over it holds it for no longer than its lease.
    world.forward(limits.sweepLeaseMs);
    expect(await world.open('b', 10)()).toMatchObject({ kind: 'swept', foundCount: 4 });
  });

  it('would miss what showed late if it began just after what it saw last: the control', async () => {
    const world = createList();
    world.add(2);
    const sweep = world.open('a', 10, -1);
    await sweep();
    world.add(1);
    world.forward(limits.sweepEveryMs);
    await sweep();
    expect(world.seen).toHaveLength(2);
  });

  it('begins its pass again where the object to go on after is gone', async () => {
    const world = createList();
    world.add(9);
    const sweep = world.open('a', 1);
    await sweep();
    world.removeAll();
    expect(await sweep()).toMatchObject({ isWhole: false });
    expect(world.progress.pass).toBeNull();
    expect(await sweep()).toMatchObject({ kind: 'swept', isWhole: true });
  });
});
