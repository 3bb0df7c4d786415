// The leaves of a lobby in Redis, where `queue-join` writes each with its ticket. They are read in bounded pieces,
// and freed once MongoDB has them.
import type { Redis } from 'ioredis';
import { hashBytes } from '../../client/fairness/merkle.ts';
import type { DropId } from '../ids.ts';
import { leafPrefix } from '../platform/keys.ts';

/** As many as `lua/include/leaf.lua` puts into one string. */
export const leavesInString = 1_000;
/** A command's worth of strings to free at once. */
const freeBatchCount = 200;

export interface LeavesStore {
  /** The leaves `from … to − 1` of a lane, side by side; a place whose leaf is lost has 32 zero bytes. */
  read(dropId: DropId, lane: string, from: number, to: number): Promise<Uint8Array>;
  /** Frees the leaves of a lane that had `size` of them; again changes nothing. */
  free(dropId: DropId, lane: string, size: number): Promise<void>;
}

export function createLeavesStore(redis: Redis): LeavesStore {
  const keyOf = (dropId: DropId, lane: string, string: number) => `${leafPrefix(dropId)}${lane}:${string}`;
  return {
    async read(dropId, lane, from, to) {
      const leaves = new Uint8Array((to - from) * hashBytes);
      const parts: Promise<void>[] = [];
      for (let at = from; at < to; ) {
        const string = Math.floor(at / leavesInString);
        const first = at - string * leavesInString;
        const count = Math.min(leavesInString - first, to - at);
        const place = (at - from) * hashBytes;
        const part = redis
          .getrangeBuffer(keyOf(dropId, lane, string), first * hashBytes, (first + count) * hashBytes - 1)
          .then(bytes => leaves.set(bytes, place));
        parts.push(part);
        at += count;
      }
      await Promise.all(parts);
      return leaves;
    },
    async free(dropId, lane, size) {
      const strings = Math.ceil(size / leavesInString);
      for (let from = 0; from < strings; from += freeBatchCount) {
        const count = Math.min(freeBatchCount, strings - from);
        await redis.unlink(...Array.from({ length: count }, (_, index) => keyOf(dropId, lane, from + index)));
      }
    },
  };
}
