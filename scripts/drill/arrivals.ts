// When each buyer of a drill arrives, and when the drop opens, in milliseconds from the start of the drill.

export const arrivalShapes = ['spike', 'flat', 'lobby'] as const;
export type ArrivalShape = (typeof arrivalShapes)[number];

export interface Schedule {
  readonly opensAfterMs: number;
  /** One for each buyer, in order of arrival. */
  readonly arriveAfterMs: readonly number[];
}

const settleInMs = 1_500;

/** Buyers a second that one machine, which also runs the whole installation, can be asked to take. */
const rates = { spike: 1_000, flat: 150, lobby: 200 } as const;

/**
 * `spike`: everybody comes as the drop opens, within a second or two. `flat`: they come evenly, one after the other.
 * `lobby`: they come at random times before it opens, and the drop opens on a full house.
 */
export function planArrivals(options: {
  shape: ArrivalShape;
  buyersCount: number;
  random?: () => number;
}): Schedule {
  const { shape, buyersCount, random = Math.random } = options;
  const spanMs = Math.max(500, (buyersCount / rates[shape]) * 1_000);
  const evenly = (index: number) => (index / buyersCount) * spanMs;
  const anyTime = () => random() * spanMs;
  switch (shape) {
    case 'spike':
      return schedule(settleInMs, buyersCount, () => settleInMs + anyTime());
    case 'flat':
      return schedule(settleInMs, buyersCount, index => settleInMs + evenly(index));
    case 'lobby':
      // The last to come still has their ticket before the lobby is frozen, a second before it opens.
      return schedule(spanMs + 3 * settleInMs, buyersCount, anyTime);
  }
}

function schedule(opensAfterMs: number, count: number, at: (index: number) => number): Schedule {
  const arriveAfterMs = Array.from({ length: count }, (_, index) => at(index)).toSorted((a, b) => a - b);
  return { opensAfterMs, arriveAfterMs };
}
