// Fault 2: the worker is killed while it captures a payment, and once more while the next one does the same.
import { z } from 'zod';
import { check, type Fault } from './fault.ts';
import { openSale, startPaying } from './sale.ts';
import { waitUntil } from './wait-until.ts';

const boundMs = 60_000;
const killsCount = 2;
const listSchema = z.object({ faults: z.array(z.object({ hits: z.int() })) });
const booksSchema = z.object({
  paymentIntents: z.int(),
  totals: z.record(z.string(), z.object({ captured: z.int() })),
});

export const workerKilled: Fault = {
  number: 2,
  title: 'a worker is killed twice on one job',
  needs: null,
  async run(world, chance) {
    const { installation, stripe, signal } = world;
    const sale = await openSale(world, 3);
    const shopper = await startPaying(await sale.shopper());
    // So long that the worker is killed in the middle of the call, sometimes before Stripe acts and sometimes after.
    const latency = { kind: 'latency', operation: 'payment_intents.capture', delayMs: 1_000 };
    await stripe.addFault({ ...latency, times: killsCount });
    const hits = async () => listSchema.parse(await stripe.call('GET', 'faults')).faults[0]?.hits ?? 0;
    try {
      await shopper.confirm();
      for (let kills = 1; kills <= killsCount; kills += 1) {
        await waitUntil(`capture ${kills} is under way`, async () => (await hits()) >= kills, {
          signal,
          withinMs: boundMs,
        });
        await waitUntil('a moment within it', () => chance.happens(0.2), { signal, everyMs: 20 });
        installation.kill('worker');
      }
      const recoveryMs = await waitUntil('paid', async () => (await shopper.order())?.status === 'paid', {
        signal,
        withinMs: 2 * boundMs,
      });
      const report = await sale.atRest();
      const books = booksSchema.parse(await stripe.books({ order: shopper.orderId }));
      await installation.untilReady('worker');
      await sale.close();
      return {
        figures: { recoveryMs, boundMs, kills: killsCount, sold: report.sold },
        checks: [
          check.atMost('ms until it was paid', recoveryMs, boundMs),
          check.is('payments', books.paymentIntents, 1),
          check.is('captured', books.totals['eur']?.captured ?? 0, 4_900),
          check.is('units owned', report.unitsDistinct, 1),
          check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
        ],
      };
    } finally {
      await stripe.clearFaults();
    }
  },
};
