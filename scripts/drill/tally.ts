// What the buyers of a drill went through: how far they came, how long each phase took, and what went wrong by kind.
// It is what clients saw and nothing more; the gates are counted on the server.
import type { Failure } from '../../client/index.ts';
import { percentilesOf, type Percentiles } from './percentiles.ts';
import { createPlaces, type Places } from './places.ts';
import type { LeavingStep } from './plan-buyers.ts';

export const phases = ['join', 'admit', 'hold', 'pay', 'settle'] as const;
export type Phase = (typeof phases)[number];

/** How a journey ends. `failed` and `unfinished` are the only ones that should not happen. */
export const journeyEnds = [
  'paid',
  'sold-out',
  'closed',
  'missed',
  'abandoned',
  'turned-away',
  'failed',
  'unfinished',
] as const;
export type JourneyEnd = (typeof journeyEnds)[number];

/** Trouble that was planned, as the buyers met it. */
export type Trouble = `left after ${LeavingStep}` | 'declined' | 'challenged';

export interface Tally {
  readonly arrived: number;
  readonly joined: number;
  readonly called: number;
  readonly held: number;
  readonly ended: number;
  readonly ends: Readonly<Record<JourneyEnd, number>>;
  readonly errors: Readonly<Record<string, number>>;
  readonly reach: (what: 'arrived' | 'joined' | 'called' | 'held') => void;
  readonly end: (how: JourneyEnd) => void;
  readonly took: (phase: Phase, ms: number) => void;
  readonly retried: (failure: Failure) => void;
  readonly error: (kind: string) => void;
  readonly phases: () => Record<Phase, Percentiles>;
  /** When each buyer who waited heard that all is sold, on the server's clock. */
  readonly soldOutHeardAtMs: number[];
  readonly places: Places;
  readonly meet: (trouble: Trouble) => void;
  readonly troubles: Readonly<Record<Trouble, number>>;
}

export function createTally(): Tally {
  const reached = { arrived: 0, joined: 0, called: 0, held: 0 };
  const ends: Record<JourneyEnd, number> = {
    paid: 0,
    'sold-out': 0,
    closed: 0,
    missed: 0,
    abandoned: 0,
    'turned-away': 0,
    failed: 0,
    unfinished: 0,
  };
  const errors: Record<string, number> = {};
  const troubles: Record<Trouble, number> = {
    'left after join': 0,
    'left after pass': 0,
    'left after hold': 0,
    'left after payment': 0,
    declined: 0,
    challenged: 0,
  };
  const times: Record<Phase, number[]> = { join: [], admit: [], hold: [], pay: [], settle: [] };
  let ended = 0;
  const error = (kind: string) => {
    errors[kind] = (errors[kind] ?? 0) + 1;
  };
  return {
    get arrived() {
      return reached.arrived;
    },
    get joined() {
      return reached.joined;
    },
    get called() {
      return reached.called;
    },
    get held() {
      return reached.held;
    },
    get ended() {
      return ended;
    },
    ends,
    errors,
    reach(what) {
      reached[what] += 1;
    },
    end(how) {
      ends[how] += 1;
      ended += 1;
    },
    took: (phase, ms) => void times[phase].push(ms),
    retried: failure => error(`retried ${failure.code}`),
    error,
    soldOutHeardAtMs: [],
    places: createPlaces(),
    troubles,
    meet(trouble) {
      troubles[trouble] += 1;
    },
    phases: () => ({
      join: percentilesOf(times.join),
      admit: percentilesOf(times.admit),
      hold: percentilesOf(times.hold),
      pay: percentilesOf(times.pay),
      settle: percentilesOf(times.settle),
    }),
  };
}
