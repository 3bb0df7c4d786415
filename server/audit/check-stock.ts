// Invariants 1 and 2 of a drop: the stock in Redis adds up, what it calls sold is what paid orders own, what it calls held
// is what its holds hold; and the ledger has each serial from 1 to the total, once.
import type { AuditDrop, AuditSources } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';

export interface CountedUnits {
  /** Units of paid orders, by `drop/sku`, from the ledger. */
  readonly sold: ReadonlyMap<string, number>;
  /** Units of live holds, by `drop/sku`. */
  readonly held: ReadonlyMap<string, number>;
}

export function checkStock(drop: AuditDrop, counted: CountedUnits, report: ReportFinding): void {
  const { dropId, ended, totals, view } = drop;
  if (!view) {
    if (!ended) report({ invariant: 1, document: dropId, what: 'Redis does not know this drop' });
    return;
  }
  for (const { sku, total, available, held, sold, withdrawn } of view.stock) {
    const document = `${dropId}/${sku}`;
    const wrong = (what: string) => report({ invariant: 1, document, what });
    if (available + held + sold + withdrawn !== total) {
      wrong(
        `available ${available} + held ${held} + sold ${sold} + withdrawn ${withdrawn} is not the total ${total}`,
      );
    }
    if (Math.min(available, held, sold, withdrawn) < 0) wrong('a count is below zero');
    const planned = totals.get(sku) ?? 0;
    if (planned !== total) wrong(`Redis has a total of ${total}, the drop one of ${planned}`);
    const owned = counted.sold.get(document) ?? 0;
    if (owned !== sold) wrong(`Redis counts ${sold} as sold, paid orders own ${owned}`);
    const inHolds = counted.held.get(document) ?? 0;
    if (inHolds !== held) wrong(`Redis counts ${held} as held, its holds have ${inHolds}`);
  }
}

export async function checkSerials(
  source: Pick<AuditSources, 'unitsOf'>,
  { dropId, totals }: AuditDrop,
  report: ReportFinding,
): Promise<void> {
  for (const [sku, total] of totals) {
    const wrong = (document: string, what: string) => report({ invariant: 2, document, what });
    // A bit for each serial: a million of them are 122 KiB.
    const met = new Uint8Array(Math.ceil((total + 1) / 8));
    let metCount = 0;
    for await (const { unitId, serial } of source.unitsOf(dropId, sku)) {
      if (!Number.isInteger(serial) || serial < 1 || serial > total) {
        wrong(unitId, `has a serial beyond 1 to ${total}`);
        continue;
      }
      const bit = 1 << (serial % 8);
      const byte = serial >> 3;
      const known = met[byte] ?? 0;
      if ((known & bit) !== 0) wrong(unitId, `is a second unit with serial ${serial}`);
      else metCount += 1;
      met[byte] = known | bit;
    }
    if (metCount !== total) wrong(`${dropId}/${sku}`, `the ledger has ${metCount} of its ${total} units`);
  }
}
