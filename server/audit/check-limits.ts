// Invariant 6, and the limit for each card: nobody has more of a drop than one buyer or one card may have, and Redis and the
// cards' documents count what the books say.
import type { AuditDrop, AuditSources } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';
import type { Spool } from './spool.ts';

/** Buyers that Redis is asked about at once. */
const batchCount = 500;

export async function checkBuyers(
  sources: AuditSources,
  { drop, spool }: { drop: AuditDrop; spool: Spool },
  report: ReportFinding,
): Promise<void> {
  const { dropId, perBuyerMax, view } = drop;
  const wrong = (buyerId: string, what: string) =>
    report({ invariant: 6, document: `${dropId}, buyer ${buyerId}`, what });
  let batch: { buyerId: string; unitsCount: number }[] = [];
  const flush = async () => {
    if (!view || batch.length === 0) return;
    const counted = await sources.bought(
      dropId,
      batch.map(({ buyerId }) => buyerId),
    );
    for (const [place, { buyerId, unitsCount }] of batch.entries()) {
      const bought = counted[place] ?? 0;
      if (bought !== unitsCount) wrong(buyerId, `Redis counts ${bought} units, they have ${unitsCount}`);
    }
    batch = [];
  };
  for (const buyer of spool.buyers(dropId)) {
    const { buyerId, unitsCount } = buyer;
    if (unitsCount > perBuyerMax) wrong(buyerId, `has ${unitsCount} units, where ${perBuyerMax} are allowed`);
    batch.push(buyer);
    if (batch.length === batchCount) await flush();
  }
  await flush();
}

export async function checkCards(sources: AuditSources, spool: Spool, report: ReportFinding): Promise<void> {
  const wrong = (document: string, what: string) => report({ invariant: 6, document, what });
  for (const { cardId, unitsCount, max } of spool.cards())
    if (unitsCount > max) wrong(cardId, `has paid for ${unitsCount} units, where ${max} are allowed`);
  for await (const { cardId, used, takers } of sources.cards()) {
    const taken = takers.reduce((sum, { units }) => sum + units, 0);
    if (taken !== used) wrong(cardId, `is said to have ${used} units, and its orders come to ${taken}`);
    const paid = spool.unitsOfCard(cardId);
    if (paid > used) wrong(cardId, `is said to have ${used} units, and has paid for ${paid}`);
  }
}
