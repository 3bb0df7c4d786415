// Fault 17: the search service is gone, and then the job queue is.
import { check, type Fault } from './fault.ts';
import { openSale } from './sale.ts';
import { waitUntil } from './wait-until.ts';

const boundMs = 30_000;

export const searchAndJobsGone: Fault = {
  number: 17,
  title: 'the search service is gone, then the job queue',
  needs: null,
  async run(world) {
    const { installation, admin, signal } = world;
    const sale = await openSale(world, 6);
    const [early, late] = [await sale.shopper(), await sale.shopper()];

    await installation.halt('typesense');
    const title = `Meanwhile ${sale.sku}`;
    const productId = `meanwhile-${sale.sku.toLowerCase()}`;
    const variants = [{ sku: `M-${sale.sku}`, price: { amount: 100, currency: 'EUR' } }];
    await admin.admin.product.upsert.mutate({ productId, title, variants });
    const meanwhile = await admin.search.products.query({ q: title });
    await early.buy();
    await installation.start('typesense');
    const recoveryMs = await waitUntil(
      'search finds what was changed meanwhile',
      async () => {
        const { degraded, hits } = await admin.search.products.query({ q: title });
        return degraded !== true && hits.some(({ id }) => id === productId);
      },
      { signal, withinMs: 2 * boundMs, everyMs: 100 },
    );

    await installation.halt('redis-jobs');
    let jobsGoneMs: number;
    try {
      const startedAtMs = performance.now();
      await late.buy();
      const another = await sale.shopper();
      await another.buy();
      jobsGoneMs = Math.round(performance.now() - startedAtMs);
    } finally {
      await installation.start('redis-jobs');
    }
    const report = await sale.atRest();
    await sale.close();
    return {
      figures: { recoveryMs, boundMs, soldWithoutJobsMs: jobsGoneMs, sold: report.sold },
      checks: [
        check.is('search says that it is degraded', String(meanwhile.degraded), 'true'),
        check.atMost('ms until the index had caught up', recoveryMs, boundMs),
        check.is('sold', report.sold, 3),
        check.is('captured less the books', (report.capturedMinor ?? 0) - report.expectedMinor, 0),
      ],
    };
  },
};
