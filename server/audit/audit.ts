// Checks what must always hold, over Redis, MongoDB and Stripe, reading only. It believes none of the engine's own
// counters: units are counted from the ledger, money from Stripe, calls from their log. An installation that sells
// while it is looked at is between two steps somewhere, so what looks wrong is looked at again, and only what stays
// wrong is a finding.
import { checkCalls, type CallsSource } from './check-calls.ts';
import { checkOrders, type OrdersSource } from './check-orders.ts';
import { checkStock, type StockSource } from './check-stock.ts';
import type { Finding } from './finding.ts';

export interface Checked {
  drops: number;
  orders: number;
  units: number;
  payments: number;
  calls: number;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly checked: Checked;
  readonly findings: readonly Finding[];
  /** How often it was looked; more than once where something was under way. */
  readonly looksCount: number;
}

export type AuditSources = StockSource & OrdersSource & CallsSource;

/** A step of the money path that is under way ends within this, or is tried again by the relay after it. */
const lookAgainMs = 2_500;

export async function runAudit(
  sources: AuditSources,
  options: { looksMax: number; onLook?: (look: number, suspicions: number) => void } = { looksMax: 6 },
): Promise<AuditReport> {
  let standing = new Map<string, Finding>();
  let checked: Checked = { drops: 0, orders: 0, units: 0, payments: 0, calls: 0 };
  let looksCount = 0;
  while (looksCount < options.looksMax) {
    if (looksCount > 0) await new Promise(resolve => setTimeout(resolve, lookAgainMs));
    looksCount += 1;
    const look = await lookOnce(sources);
    checked = look.checked;
    const before = standing;
    const isFirst = looksCount === 1;
    standing = new Map(
      look.findings
        .map(finding => [`${finding.invariant} ${finding.document} ${finding.what}`, finding] as const)
        // What was not seen before has only just begun: it must be seen again to count.
        .filter(([key]) => isFirst || before.has(key)),
    );
    options.onLook?.(looksCount, standing.size);
    if (standing.size === 0) break;
  }
  const findings = [...standing.values()];
  return { ok: findings.length === 0, checked, findings, looksCount };
}

async function lookOnce(sources: AuditSources): Promise<{ findings: Finding[]; checked: Checked }> {
  const findings: Finding[] = [];
  const report = (finding: Finding) => void findings.push(finding);
  const orders = await checkOrders(sources, report);
  const stock = await checkStock(sources, orders.soldUnits, report);
  const calls = await checkCalls(sources, report);
  return {
    findings,
    checked: {
      drops: stock.dropsCount,
      orders: orders.ordersCount,
      units: orders.unitsCount,
      payments: orders.paymentsCount,
      calls: calls.callsCount,
    },
  };
}
