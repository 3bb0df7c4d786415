// What a page makes of a drop and its live news.
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Drop, DropWatch } from '../../client/web/engine/types.ts';
import { byUrgency } from '../../client/web/live/choose-drop.ts';
import { withOpening } from '../../client/web/live/with-opening.ts';

const dropOf = (drop: Pick<Drop, 'state' | 'opensAtMs'>) => z.custom<Drop>().parse(drop);
const watchOf = (watch: Pick<DropWatch, 'opensAtMs'>) => z.custom<DropWatch>().parse(watch);

describe('a drop on a page', () => {
  it('opens when its live news say so, and is the same object where they say nothing else', () => {
    const drop = dropOf({ state: 'lobby', opensAtMs: 5_000 });
    expect(withOpening(drop, watchOf({ opensAtMs: 9_000 }))).toEqual({ state: 'lobby', opensAtMs: 9_000 });
    expect(withOpening(drop, watchOf({ opensAtMs: 5_000 }))).toBe(drop);
    expect(withOpening(drop, null)).toBe(drop);
  });

  it('stands in front where it can be bought, then the soonest to come, then the latest that is over', () => {
    const drops = [
      dropOf({ state: 'closed', opensAtMs: 1 }),
      dropOf({ state: 'lobby', opensAtMs: 9 }),
      dropOf({ state: 'closed', opensAtMs: 2 }),
      dropOf({ state: 'lobby', opensAtMs: 8 }),
      dropOf({ state: 'open', opensAtMs: 3 }),
    ];
    expect(byUrgency(drops).map(({ opensAtMs }) => opensAtMs)).toEqual([3, 8, 9, 2, 1]);
  });
});
