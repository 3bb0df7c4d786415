// What buyers of a drop whose price falls were asked and have paid, held against the schedule that the drop announced.
// A buyer knows when they asked for a hold and when they had the answer: what they pay is the price of an instant
// between, and nothing else, whatever they were quoted.
import { priceAt, type ApiOutputs } from '../../client/index.ts';

/** How each SKU's price falls, as `drop.get` says it. */
export type Schedules = ReadonlyMap<
  string,
  Pick<ApiOutputs['drop']['get']['items'][number], 'price' | 'falling'>
>;

/** A hold as its buyer met it, in minor units; times on the server's clock. */
export interface HeldPrice {
  readonly sku: string;
  readonly unitAmount: number;
  readonly totalAmount: number;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

export interface FallingCounts {
  /** By the price of a unit in minor units: how many were paid for at it. */
  readonly paid: Readonly<Record<string, number>>;
  /** Holds at a price that was not asked at any instant of their call. */
  readonly offSchedule: number;
  /** Orders that were charged another total than their hold said. */
  readonly chargedOtherwise: number;
  /** What all paid buyers were told that they pay. */
  readonly toldMinor: number;
}

/** A round trip tells the server's clock to half its length; this is more than that on any network worth a drill. */
const clockSlackMs = 250;

export interface FallingPrices {
  held(hold: HeldPrice): void;
  /** `chargedAmount`: as the order says it. */
  paid(hold: HeldPrice, chargedAmount: number): void;
  counts(): FallingCounts;
}

export function createFallingPrices(schedules: Schedules): FallingPrices {
  const paid: Record<string, number> = {};
  let [offSchedule, chargedOtherwise, toldMinor] = [0, 0, 0];
  return {
    held(hold) {
      if (!isOnSchedule(schedules, hold)) offSchedule += 1;
    },
    paid({ unitAmount, totalAmount }, chargedAmount) {
      paid[unitAmount] = (paid[unitAmount] ?? 0) + 1;
      toldMinor += totalAmount;
      if (chargedAmount !== totalAmount) chargedOtherwise += 1;
    },
    counts: () => ({ paid: { ...paid }, offSchedule, chargedOtherwise, toldMinor }),
  };
}

function isOnSchedule(schedules: Schedules, hold: HeldPrice): boolean {
  const item = schedules.get(hold.sku);
  if (!item?.falling) return false;
  const fromMs = hold.askedAtMs - clockSlackMs;
  const toMs = hold.answeredAtMs + clockSlackMs;
  const instants = [
    fromMs,
    ...item.falling.steps.map(step => step.atMs).filter(atMs => atMs > fromMs && atMs <= toMs),
  ];
  return instants.some(atMs => priceAt(item, atMs).price.amount === hold.unitAmount);
}
