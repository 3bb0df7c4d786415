import type { Drop, DropWatch } from '../engine/types.ts';

/** The shop may move an opening: the live news say it at once, the drop itself only when it is asked for again. */
export function withOpening(drop: Drop, watch: DropWatch | null): Drop {
  const opensAtMs = watch?.opensAtMs ?? drop.opensAtMs;
  return opensAtMs === drop.opensAtMs ? drop : { ...drop, opensAtMs };
}
