import { describe, expect, it, vi } from 'vitest';
import { listDropNames } from '../../client/web/admin/drops/drop-names.ts';

/** A shop with so many drops, which answers as `drop.list` does. */
function shopOf(count: number) {
  const drops = Array.from({ length: count }, (_, index) => ({
    dropId: `drop-${index}`,
    title: `Drop ${index}`,
  }));
  return vi.fn<Parameters<typeof listDropNames>[0]>(async ({ limit, cursor = '0' }) => {
    const from = Number(cursor);
    const nextCursor = from + limit < count ? { nextCursor: String(from + limit) } : {};
    return { items: drops.slice(from, from + limit), ...nextCursor };
  });
}

describe('the names of the drops to choose from', () => {
  it('are those of every page', async () => {
    const names = await listDropNames(shopOf(250));
    expect(names).toHaveLength(250);
    expect(names.at(-1)).toEqual({ dropId: 'drop-249', title: 'Drop 249' });
  });

  it('of a shop without drops are none', async () => {
    expect(await listDropNames(shopOf(0))).toEqual([]);
  });

  it('end at a thousand, the newest', async () => {
    const list = shopOf(5_000);
    const names = await listDropNames(list);
    expect(names).toHaveLength(1_000);
    expect(names[0]?.dropId).toBe('drop-0');
    expect(list).toHaveBeenCalledTimes(10);
  });
});
