// The API: which router stands where. What each procedure takes and answers stands beside it, in its own room.
import { createAdminOrdersRouter } from './orders/admin-orders.router.ts';
import { createAdminProductRouter, createCatalogRouter } from './catalog/catalog.router.ts';
import type { Catalog } from './catalog/catalog.ts';
import { createImportRouter } from './catalog/import.router.ts';
import { createAuditProcedure } from './admin/audit.router.ts';
import type { AuditLog } from './admin/audit-log.ts';
import type { Report } from './admin/report.ts';
import type { Stats } from './admin/stats.ts';
import { createStatsProcedure } from './admin/stats.router.ts';
import { createWhoamiProcedure } from './admin/whoami.router.ts';
import { createReportProcedure } from './admin/report.router.ts';
import type { Findings } from './audit/findings.ts';
import { createFindingsRouter } from './audit/findings.router.ts';
import type { SessionToken } from './buyers/authenticate.ts';
import type { Privacy } from './buyers/privacy.ts';
import { createPrivacyRouter } from './buyers/privacy.router.ts';
import { createSessionRouter } from './buyers/session.router.ts';
import { createCheckoutRouter } from './checkout/checkout.router.ts';
import type { Checkout } from './checkout/checkout.ts';
import { createAdminDropsRouter } from './drops/admin-drops.router.ts';
import { createDropsRouter } from './drops/drops.router.ts';
import type { Drop, Ticket } from './drops/drop.ts';
import type { LowestBefore } from './drops/drop-offers.ts';
import type { Drops } from './drops/drops.ts';
import type { DropFeeds } from './drops/feeds.ts';
import type { Fairness } from './fairness/fairness.ts';
import { createAdminFairnessRouter, createFairnessRouter } from './fairness/fairness.router.ts';
import type { DropId } from './ids.ts';
import { createHoldsRouter } from './inventory/inventory.router.ts';
import type { Inventory } from './inventory/inventory.ts';
import { createOrdersRouter } from './orders/orders.router.ts';
import type { Orders } from './orders/orders.ts';
import type { Refund } from './orders/refunds.ts';
import type { Clock } from './platform/clock.ts';
import type { Sealer } from './platform/seal.ts';
import { createPricingRouter } from './pricing/pricing.router.ts';
import { createAdminCouponsRouter } from './promotions/coupons.router.ts';
import type { Coupons } from './promotions/coupons.ts';
import type { Pricing } from './pricing/pricing.ts';
import { createAdminRatesRouter } from './pricing/rates.router.ts';
import type { Rates } from './pricing/rates.ts';
import { createAdminGroupsRouter } from './groups/groups.router.ts';
import type { Groups } from './groups/groups.ts';
import type { BotGate } from './queue/bot-gate.ts';
import { createQueueRouter } from './queue/queue.router.ts';
import type { Queue } from './queue/queue.ts';
import { createAdminSearchRouter } from './search/admin-search.router.ts';
import { createRepriceRouter } from './catalog/reprice.router.ts';
import type { Reprice } from './catalog/reprice.ts';
import type { ChosenResults } from './search/chosen-results.ts';
import { createSearchRouter } from './search/search.router.ts';
import type { Search } from './search/search.ts';
import type { GiveSearchKey } from './search/search-key.ts';
import { mergeRouters, router } from './trpc.ts';

export interface ApiParts {
  readonly clock: Clock;
  readonly sessions: Sealer<SessionToken>;
  readonly catalog: Catalog;
  readonly search: Search;
  readonly giveSearchKey: GiveSearchKey;
  readonly chosenResults: ChosenResults;
  readonly reprice: Reprice;
  readonly drops: Drops;
  readonly lowestBefore: LowestBefore;
  readonly feeds: DropFeeds;
  readonly queue: Queue;
  readonly botGate: BotGate;
  readonly fairness: Fairness;
  /** The content of a ticket that the engine gave out; null for anything else. */
  readonly openTicket: (text: string) => Ticket | null;
  readonly pricing: Pricing;
  readonly rates: Rates;
  readonly groups: Groups;
  readonly coupons: Coupons;
  readonly inventory: Inventory;
  readonly checkout: Checkout;
  readonly orders: Orders;
  readonly refund: Refund;
  readonly privacy: Privacy;
  readonly report: Report;
  readonly auditLog: AuditLog;
  readonly stats: Stats;
  readonly findings: Findings;
}

export function createApi(parts: ApiParts) {
  const fairnessParts = {
    fairness: parts.fairness,
    getDrop: (dropId: DropId) => parts.drops.get(dropId),
    openTicket: parts.openTicket,
  };
  return router({
    session: createSessionRouter(parts),
    catalog: createCatalogRouter(parts.catalog),
    search: createSearchRouter(parts.search, parts.giveSearchKey),
    drop: mergeRouters(
      createDropsRouter({ ...parts, lobbyRoot: (drop: Drop) => parts.fairness.root(drop) }),
      createFairnessRouter(fairnessParts),
    ),
    queue: createQueueRouter({
      queue: parts.queue,
      botGate: parts.botGate,
      getDrop: dropId => parts.drops.get(dropId),
    }),
    pricing: createPricingRouter({
      pricing: parts.pricing,
      heldAt: async (buyerId, holdId) => (await parts.inventory.get(buyerId, holdId)).quote.pricedAtMs,
    }),
    hold: createHoldsRouter(parts),
    checkout: createCheckoutRouter(parts.checkout),
    order: createOrdersRouter(parts.orders),
    privacy: createPrivacyRouter(parts.privacy, parts.clock),
    admin: router({
      product: mergeRouters(createAdminProductRouter(parts.catalog), createImportRouter(parts.catalog)),
      search: createAdminSearchRouter({ catalog: parts.catalog, chosen: parts.chosenResults }),
      drop: mergeRouters(
        createAdminDropsRouter(parts),
        createAdminFairnessRouter(fairnessParts),
        router({ report: createReportProcedure(parts.report) }),
      ),
      reprice: createRepriceRouter(parts.reprice),
      coupon: createAdminCouponsRouter(parts.coupons),
      group: createAdminGroupsRouter(parts.groups),
      rate: createAdminRatesRouter(parts.rates),
      order: createAdminOrdersRouter(parts.orders, parts.refund),
      whoami: createWhoamiProcedure(parts.clock),
      stats: createStatsProcedure(parts.stats),
      audit: createAuditProcedure(parts.auditLog),
      findings: createFindingsRouter(parts.findings),
    }),
  });
}

export type AppRouter = ReturnType<typeof createApi>;
