// The gates of a drill: what must be true of the drop's books at the end, whatever the buyers believe. Each is counted
// from the server's report; the drill itself adds only how many buyers came who wanted a unit and could pay.
import type { ApiOutputs } from '../../client/index.ts';
import type { FallingCounts } from './falling-prices.ts';

export type DropReport = ApiOutputs['admin']['drop']['report'];

export interface Gate {
  readonly name: string;
  readonly ok: boolean;
  readonly value: number;
  /** `value` must equal it; with `atMost`, not exceed it. */
  readonly limit: number;
  readonly atMost?: true;
}

export interface Demand {
  /** Units that buyers wanted and would have paid for, at one a buyer. */
  readonly wantedCount: number;
  /** Journeys that broke off for no reason of the shop's. */
  readonly brokenCount: number;
  readonly places: { readonly moved: number; readonly lost: number };
  /** How late the last of those who waited heard that all is sold; null where nobody waited for that. */
  readonly told: { readonly maxMs: number; readonly withinMs: number } | null;
  /** How many events each fault of the webhooks struck; null where they were left alone. */
  readonly webhooks: Readonly<Record<string, number>> | null;
  /** What the buyers of a price that falls met; null where it stays. */
  readonly falling: Omit<FallingCounts, 'paid'> | null;
  /** Null where none was to be killed. */
  readonly serversKilled: { readonly count: number; readonly wanted: number } | null;
}

export interface Verdict {
  readonly sold: number;
  readonly oversold: number;
  readonly unsoldWithDemand: number;
  readonly unitsDistinct: number;
  readonly ordersPaid: number;
  readonly capturedMinor: number;
  readonly expectedMinor: number;
  readonly inversions: number;
  readonly paidLate: number;
  readonly gates: readonly Gate[];
  readonly ok: boolean;
}

export function judge(report: DropReport, demand: Demand): Verdict {
  const { stock, sold, oversold, unitsDistinct, ordersPaid, expectedMinor, inversions } = report;
  // Nothing was asked of Stripe: that is no pass.
  const capturedMinor = report.capturedMinor ?? Number.NaN;
  const paidLate = report.paidLate ?? Number.NaN;
  const unmetCount = Math.max(0, demand.wantedCount - sold);
  const unsoldWithDemand = Math.min(Math.max(0, stock - sold), unmetCount);
  // Nobody knows what is on the shelf: that is no pass either.
  const leftCount = report.items.reduce(
    (sum, { redis }) => sum + (redis ? redis.available + redis.held : Number.NaN),
    0,
  );
  const gate = (name: string, value: number, limit: number): Gate => ({
    name,
    ok: value === limit,
    value,
    limit,
  });
  const gates = [
    gate('at rest: still under way', report.underWay.length, 0),
    gate('sold: what stock and demand allow', sold, Math.min(stock, demand.wantedCount)),
    gate('oversold', oversold, 0),
    gate('unsold although wanted', unsoldWithDemand, 0),
    ...(demand.wantedCount >= stock
      ? [gate('on the shelf or held at the end, although wanted', leftCount, 0)]
      : []),
    gate('different units sold', unitsDistinct, sold),
    gate('orders paid, a unit each', ordersPaid, sold),
    gate('captured as the orders say', capturedMinor, expectedMinor),
    gate('calls out of order', inversions, 0),
    gate('ranks passed over', report.calls.skippedCount, 0),
    gate('broken links in the call log', report.calls.brokenLinks, 0),
    gate('paid in time and not served', paidLate, 0),
    gate('authorised and turned away', report.turnedAway, 0),
    gate('other breaches of the books', report.findingsCount, 0),
    gate('journeys that broke off', demand.brokenCount, 0),
    gate('buyers told of another place than before', demand.places.moved, 0),
    gate('buyers whose place nobody knew', demand.places.lost, 0),
    ...(demand.told ? [toldInTime(demand.told)] : []),
    ...(demand.falling
      ? [
          gate('holds at a price of another instant', demand.falling.offSchedule, 0),
          gate('orders charged otherwise than held', demand.falling.chargedOtherwise, 0),
          gate('captured as the buyers were told', capturedMinor, demand.falling.toldMinor),
        ]
      : []),
    ...(demand.webhooks
      ? [gate('faults of the webhooks that struck nothing', idleCount(demand.webhooks), 0)]
      : []),
    ...(demand.serversKilled
      ? [gate('servers killed in the middle', demand.serversKilled.count, demand.serversKilled.wanted)]
      : []),
  ];
  return {
    sold,
    oversold,
    unsoldWithDemand,
    unitsDistinct,
    ordersPaid,
    capturedMinor,
    expectedMinor,
    inversions,
    paidLate,
    gates,
    ok: gates.every(each => each.ok),
  };
}

function idleCount(struck: NonNullable<Demand['webhooks']>): number {
  return Object.values(struck).filter(count => count === 0).length;
}

function toldInTime({ maxMs, withinMs }: NonNullable<Demand['told']>): Gate {
  const name = 'ms from the end of the sale until the last who waited was told';
  return { name, ok: maxMs <= withinMs, value: maxMs, limit: withinMs, atMost: true };
}
