// Invariant 6a: no coupon is paid for more often than its limits allow, each paid use is counted where uses are counted, and
// nothing else is counted beyond the limit. Uses that Redis lost are brought back from the orders before anybody may take
// another, so until then it is asked nothing.
import type { AuditSources } from './audit-sources.ts';
import type { ReportFinding } from './finding.ts';
import type { Spool } from './spool.ts';

/** Uses that Redis is asked about at once. */
const batchCount = 500;

export async function checkCoupons(
  sources: AuditSources,
  spool: Spool,
  report: ReportFinding,
): Promise<void> {
  const wrong = (document: string, what: string) => report({ invariant: 6, document, what });
  for await (const { code, usesMax, perBuyerMax } of sources.coupons()) {
    spool.meetCoupon(code);
    const document = `coupon ${code}`;
    const paidCount = spool.couponUsesCount(code);
    if (usesMax !== null && paidCount > usesMax)
      wrong(document, `is used by ${paidCount} paid orders, where ${usesMax} are allowed`);
    if (perBuyerMax !== null) {
      for (const { buyerId, usesCount } of spool.couponBuyers(code))
        if (usesCount > perBuyerMax)
          wrong(
            `${document}, buyer ${buyerId}`,
            `has paid with it ${usesCount} times, where ${perBuyerMax} are allowed`,
          );
    }
    // Without a limit nobody counts.
    if (usesMax === null && perBuyerMax === null) continue;
    const counted = await sources.couponUsesCount(code);
    if (counted === null) continue;
    if (usesMax !== null && counted > usesMax)
      wrong(document, `has ${counted} uses in Redis, where ${usesMax} are allowed`);
    await checkCounted(sources, { code, spool }, wrong);
  }
  for (const { code, orderId } of spool.unmetCoupons())
    wrong(orderId, `is paid with the coupon ${code}, which does not exist`);
}

async function checkCounted(
  sources: AuditSources,
  { code, spool }: { code: string; spool: Spool },
  wrong: (document: string, what: string) => void,
): Promise<void> {
  let batch: { orderId: string; holdId: string }[] = [];
  const flush = async () => {
    const are = await sources.areCouponUses(
      code,
      batch.map(({ holdId }) => holdId),
    );
    for (const [place, { orderId }] of batch.entries())
      if (are[place] !== true)
        wrong(orderId, `is paid with the coupon ${code}, and Redis does not count its use`);
    batch = [];
  };
  for (const use of spool.couponUses(code)) {
    batch.push(use);
    if (batch.length === batchCount) await flush();
  }
  if (batch.length > 0) await flush();
}
