// The live figures of a drop, as `admin.stats` sends them.
import type { ApiOutputs } from '../../../index.ts';

/** What a subscription's events carry, without the id that they resume by. */
type Tracked<T> =
  T extends AsyncIterable<infer Event>
    ? Event extends readonly [string, infer Data, ...unknown[]]
      ? Data
      : Event extends { data: infer Data }
        ? Data
        : never
    : never;

export type DropStats = Tracked<ApiOutputs['admin']['stats']>;
