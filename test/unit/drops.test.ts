// Drops as a process remembers them.
import { expect, it } from 'vitest';
import { z } from 'zod';
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
