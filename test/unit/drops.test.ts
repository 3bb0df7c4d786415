// Drops as a process remembers them, and an opening that is moved, where Redis has the last word.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { DropView } from '../../server/drops/drop-view.ts';
import type { Drop } from '../../server/drops/drop.ts';
import { createDrops } from '../../server/drops/drops.ts';
import { dropOf } from '../support/engine.ts';

it('a drop that changes while it is looked up answers who asked, and is looked up again for the next', async () => {
  const [before, after] = [dropOf(), dropOf({ title: 'Changed' })];
  const answers: ((drop: Drop) => void)[] = [];
  const parts = z.custom<Parameters<typeof createDrops>[0]>().parse({
    store: { find: () => new Promise<Drop>(resolve => answers.push(resolve)) },
  });
  const drops = createDrops(parts);
  const first = drops.find(before.dropId);
  drops.forget(before.dropId);
  const second = drops.find(before.dropId);
  answers[1]?.(after);
  answers[0]?.(before);
  expect(await first).toEqual(before);
  expect(await second).toEqual(after);
  expect(await drops.find(before.dropId)).toEqual(after);
  expect(answers).toHaveLength(2);
});

describe('an opening that is moved', () => {
  const hourMs = 3_600_000;
  const opensAtMs = Date.now() + hourMs;
  const before = dropOf({ opensAtMs, lobbyOpensAtMs: opensAtMs - hourMs, loadedRev: 1 });

  /** The document as it is changed, and a Redis that takes the new opening, or has one of its own. */
  function move(drop: Drop, { takes }: { takes: boolean }) {
    let kept = drop;
    const changes: Partial<Drop>[] = [];
    const announced: string[] = [];
    const seen = { state: 'lobby', frozen: false, opensAtMs: drop.opensAtMs, nowMs: opensAtMs - hourMs };
    const parts = z.custom<Parameters<typeof createDrops>[0]>().parse({
      store: {
        find: async () => kept,
        change: async (_dropId: string, rev: number, change: Partial<Drop>) => {
          expect(rev).toBe(kept.rev);
          changes.push(change);
          kept = { ...kept, ...change, rev: kept.rev + 1 };
          return kept;
        },
        markLoaded: async () => undefined,
      },
      live: {
        look: async () => z.custom<DropView>().parse(seen),
        load: async (loaded: Drop) => {
          if (takes) seen.opensAtMs = loaded.opensAtMs;
        },
      },
      clock: { now: () => opensAtMs - hourMs },
      redis: { publish: async (_channel: string, dropId: string) => announced.push(dropId) },
    });
    const update = createDrops(parts).update({ dropId: drop.dropId, opensAtMs: opensAtMs + hourMs });
    return { update, changes, announced, kept: () => kept };
  }

  it('stands where Redis has taken it', async () => {
    const moved = move(before, { takes: true });
    expect((await moved.update).opensAtMs).toBe(opensAtMs + hourMs);
    expect(moved.kept().opensAtMs).toBe(opensAtMs + hourMs);
  });

  it('is put back, told to everybody and refused where Redis has not: the document promises no other one', async () => {
    const moved = move(before, { takes: false });
    await expect(moved.update).rejects.toThrow(/its opening and its terms stay as they are/);
    expect(moved.kept()).toMatchObject({ opensAtMs, lobbyOpensAtMs: opensAtMs - hourMs });
    expect(moved.announced).toEqual([before.dropId, before.dropId]);
  });

  it('takes the steps of a price that falls with it, and back where it is put back', async () => {
    const steps = [{ atMs: opensAtMs + 60_000, amount: 900 }];
    const falling = { ...before, items: before.items.map(item => ({ ...item, steps })) };
    const moved = move(falling, { takes: true });
    await moved.update;
    expect(moved.kept().items).toMatchObject([
      { steps: [{ atMs: opensAtMs + hourMs + 60_000, amount: 900 }] },
    ]);
    const refused = move(falling, { takes: false });
    await expect(refused.update).rejects.toThrow(/stay as they are/);
    expect(refused.kept()).toMatchObject({ opensAtMs, items: [{ steps }] });
  });
});
