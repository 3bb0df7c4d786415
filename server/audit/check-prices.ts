// What an order was charged for a unit whose price falls over time, held against the drop's schedule. Pure.
import { fallenTo, type PriceStep } from '../pricing/falling-price.rules.ts';
import type { AuditOrder } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';

/** By SKU; empty for a drop whose prices stay. */
export type FallingPrices = ReadonlyMap<
  string,
  { readonly startAmount: number; readonly steps: readonly PriceStep[] }
>;

/** An order is written after its hold, by the clock of another process perhaps. */
const clockSlackMs = 2_000;

export function checkPrices(order: AuditOrder, prices: FallingPrices, report: ReportFinding): void {
  const wrong = (what: string) => report({ invariant: 3, document: order.orderId, what });
  const { pricedAtMs } = order;
  for (const { sku, unitAmount, listAmount } of order.lines) {
    const falling = prices.get(sku);
    if (!falling) continue;
    if (pricedAtMs === undefined) {
      wrong(`does not say of which instant its price of ${sku} is, and that price falls`);
      continue;
    }
    if (pricedAtMs > order.createdAtMs + clockSlackMs)
      wrong(`was made before the instant that its price of ${sku} is of`);
    const asked = fallenTo(falling.startAmount, falling.steps, pricedAtMs);
    const charged = listAmount ?? unitAmount;
    if (charged !== asked)
      wrong(
        `was charged ${charged} for ${sku}, which cost ${asked} at ${new Date(pricedAtMs).toISOString()}`,
      );
  }
}
