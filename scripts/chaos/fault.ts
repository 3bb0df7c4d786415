// What a fault is to the run: a number of the fault table, what it needs, what it does, and what it saw.
import type { Chance } from '../../server/embedded/stripe/chance.ts';
import type { World, WorldNeeds } from './world.ts';

export interface Check {
  readonly name: string;
  readonly ok: boolean;
  /** What was seen, in words or a number. */
  readonly value: string | number;
}

/** What a fault did, in numbers and words, for its line and for `--json`. */
export type Figures = Record<string, number | string>;

export interface Saw {
  readonly figures: Figures;
  readonly checks: readonly Check[];
}

export interface Fault {
  readonly number: number;
  readonly title: string;
  /** Null: it is done with the installation that the fault before left. */
  readonly needs: WorldNeeds | null;
  /** Throws `Skipped` where this machine cannot do it. */
  run(world: World, chance: Chance): Promise<Saw>;
}

export class Skipped extends Error {
  override name = 'Skipped';
}

export const check = {
  is(name: string, value: string | number, wanted: string | number): Check {
    return { name, ok: value === wanted, value: value === wanted ? value : `${value}, not ${wanted}` };
  },
  atMost(name: string, value: number, limit: number): Check {
    return { name, ok: value <= limit, value: value <= limit ? value : `${value}, more than ${limit}` };
  },
  atLeast(name: string, value: number, limit: number): Check {
    return { name, ok: value >= limit, value: value >= limit ? value : `${value}, less than ${limit}` };
  },
};
