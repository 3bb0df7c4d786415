// Invariant 5: what has run out is returned within 2 s, unless it is being paid. And what live holds hold, for invariant 1.
import type { AuditDrop } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';
import type { Spool } from './spool.ts';

const returnedWithinMs = 2_000;

/** Units of live holds, by `drop/sku`. */
export function heldUnits(spool: Spool): Map<string, number> {
  const held = new Map<string, number>();
  for (const { dropId, lines } of spool.liveHolds()) {
    for (const { sku, quantity } of lines) {
      const key = `${dropId}/${sku}`;
      held.set(key, (held.get(key) ?? 0) + quantity);
    }
  }
  return held;
}

/** `agoMs`: how long before the drop was looked at its holds were read. */
export function checkHolds(
  drops: ReadonlyMap<string, AuditDrop>,
  { spool, agoMs }: { spool: Spool; agoMs: (dropId: string) => number },
  report: ReportFinding,
): void {
  for (const { holdId, dropId, state, expiresAtMs } of spool.liveHolds()) {
    const nowMs = drops.get(dropId)?.view?.nowMs;
    if (nowMs === undefined || state !== 'held') continue;
    if (expiresAtMs >= nowMs - agoMs(dropId) - returnedWithinMs) continue;
    const what = `ran out at ${new Date(expiresAtMs).toISOString()}, and was not returned`;
    report({ invariant: 5, document: holdId, what });
  }
}
