// Checks what must always hold, over Redis, MongoDB and Stripe, reading only. It believes none of the engine's own
// counters: units are counted from the ledger, money from Stripe, calls from their log. An installation that sells
// while it is looked at is between two steps somewhere, so what looks wrong is looked at again, and only what stays
// wrong is a finding.
import type { AuditDrop, AuditSources } from './audit-sources.ts';
import { checkCalls } from './check-calls.ts';
import { checkCoupons } from './check-coupons.ts';
import { checkHolds, heldUnits } from './check-holds.ts';
import { checkBuyers, checkCards } from './check-limits.ts';
import { drivenWithinMs } from './check-order.ts';
import { checkOrders } from './check-orders.ts';
import { checkProof } from './check-proof.ts';
import { checkSerials, checkStock } from './check-stock.ts';
import type { Finding } from './finding.ts';
import { openSpool } from './spool.ts';

export type { AuditSources } from './audit-sources.ts';

export interface Checked {
  drops: number;
  orders: number;
  units: number;
  payments: number;
  holds: number;
  calls: number;
}

export interface AuditReport {
  readonly ok: boolean;
  readonly checked: Checked;
  readonly findings: readonly Finding[];
  /** How often it was looked; more than once where something was under way. */
  readonly looksCount: number;
}

/** A step of the money path that is under way ends within this, or is tried again by the relay after it. */
const lookAgainMs = 2_500;
/** What is kept of one look: whoever has more has one cause for them, and memory stays bounded. */
const findingsMax = 10_000;

export async function runAudit(
  sources: AuditSources,
  options: { looksMax: number; onLook?: (look: number, suspicions: number) => void } = { looksMax: 6 },
): Promise<AuditReport> {
  let standing = new Map<string, Finding>();
  let checked: Checked = { drops: 0, orders: 0, units: 0, payments: 0, holds: 0, calls: 0 };
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
  const report = (finding: Finding) => {
    if (findings.length < findingsMax) findings.push(finding);
  };
  const spool = openSpool();
  try {
    const startedAt = performance.now();
    const { soldUnits: sold, ...orders } = await checkOrders(sources, spool, report);
    const held = heldUnits(spool);
    const drops = new Map<string, AuditDrop>();
    const agoMs = new Map<string, number>();
    let callsCount = 0;
    for await (const drop of sources.drops()) {
      drops.set(drop.dropId, drop);
      agoMs.set(drop.dropId, performance.now() - startedAt);
      checkStock(drop, { sold, held }, report);
      await checkSerials(sources, drop, report);
      await checkBuyers(sources, { drop, spool }, report);
      callsCount += await checkCalls(sources, drop, report);
      await checkProof(sources, drop, report);
    }
    checkHolds(drops, { spool, agoMs: dropId => agoMs.get(dropId) ?? 0 }, report);
    await checkCards(sources, spool, report);
    await checkCoupons(sources, spool, report);
    for await (const { eventId, dueAtMs } of sources.lateEvents(sources.nowMs() - drivenWithinMs)) {
      const what = `is due since ${new Date(dueAtMs).toISOString()}, and nobody works it off`;
      report({ invariant: 13, document: eventId, what });
    }
    const { ordersCount, unitsCount, paymentsCount, holdsCount } = orders;
    return {
      findings,
      checked: {
        drops: drops.size,
        orders: ordersCount,
        units: unitsCount,
        payments: paymentsCount,
        holds: holdsCount,
        calls: callsCount,
      },
    };
  } finally {
    spool.close();
  }
}
