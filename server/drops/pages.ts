// Pages of drops, newest first. A cursor says after which drop to go on; it is opaque to callers, and checked.
import { z } from 'zod';
import { PublicError } from '../errors.ts';
import { dropIdSchema, type DropId } from '../ids.ts';
import { limits } from '../limits.ts';
import type { Drop } from './drop.ts';

export const pageInput = z.strictObject({
  cursor: z.string().max(200).optional(),
  limit: z.int().min(1).max(limits.listPageCount.max).optional(),
});

interface Place {
  createdAtMs: number;
  dropId: DropId;
}

export async function pageOf(
  input: { cursor?: string | undefined; limit?: number | undefined },
  list: (options: { limit: number; before?: Place }) => Promise<Drop[]>,
): Promise<{ items: Drop[]; nextCursor?: string }> {
  const limit = input.limit ?? limits.listPageCount.default;
  // One more than asked for tells whether there is a next page.
  const found = await list({
    limit: limit + 1,
    ...(input.cursor ? { before: readCursor(input.cursor) } : {}),
  });
  const items = found.slice(0, limit);
  const last = items.at(-1);
  return found.length > limit && last
    ? { items, nextCursor: `${last.createdAtMs}.${last.dropId}` }
    : { items };
}

function readCursor(cursor: string): Place {
  const [, createdAtMs, rest] = cursor.match(/^(\d{1,16})\.(.+)$/) ?? [];
  const dropId = dropIdSchema.safeParse(rest);
  if (!createdAtMs || !dropId.success) {
    throw new PublicError('invalid-input', 'This cursor is not one that a list gave: start again without it');
  }
  return { createdAtMs: Number(createdAtMs), dropId: dropId.data };
}
