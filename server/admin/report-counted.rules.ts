// What was counted of a drop, before it is held against each other.
import { wasPaid } from '../orders/order.rules.ts';
import type { BookedOrder, OwnedUnit } from './report-books.ts';
import type { CallsReading } from './report-calls.ts';
import type { DropReport, LoggedCall } from './report-output.ts';
import type { DropPayment } from './report-payments.ts';

type Stock = NonNullable<DropReport['items'][number]['redis']>;

export interface DropBooks {
  readonly drop: Pick<DropReport, 'dropId' | 'mode' | 'seedHash' | 'createdAtMs' | 'currency'> & {
    readonly isLoaded: boolean;
    readonly items: readonly {
      readonly sku: Stock['sku'];
      readonly total: number;
      readonly withdrawn: number;
    }[];
  };
  /** Null where Redis does not know the drop. */
  readonly view: {
    readonly state: string;
    readonly nowMs: number;
    readonly soldOutAtMs: number | null;
    readonly stock: readonly Stock[];
    readonly lanes: readonly { lane: string; arrived: number; lobbySize: number; serving: number }[];
  } | null;
  readonly orders: readonly BookedOrder[];
  readonly ownedUnits: readonly OwnedUnit[];
  /** How many units of each SKU the ledger has. */
  readonly unitTotals: ReadonlyMap<string, number>;
  /** Null where Stripe was not asked. */
  readonly payments: readonly DropPayment[] | null;
  readonly calls: CallsReading;
  readonly entries?: LoggedCall[];
  /** What happened after this is seen by some of the counts and not by others: nothing is concluded from it. */
  readonly startedAtMs: number;
  readonly countedAtMs: number;
}

/** Every unit that Redis accounts for; more than the total is a promise too many. */
export function promisedOf(stock: Stock | null): number {
  return stock ? stock.available + stock.held + stock.sold + stock.withdrawn : 0;
}

export function isPaid(order: BookedOrder | undefined): order is BookedOrder {
  return order !== undefined && wasPaid(order.status);
}

export function unitName(unit: { sku: string; serial: number }): string {
  return `${unit.sku}/${unit.serial}`;
}
