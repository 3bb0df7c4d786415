// Fault 12: a webhook comes before the API's own answer, twice, out of order, three days late, or never. Days pass on
// the clocks of Redis' scripts, of the engine and of the Stripe stand-in, which are moved together.
import { openSale, startPaying, shoppersOf, type Sale } from './sale.ts';
import { check, type Fault } from './fault.ts';
import { waitUntil } from './wait-until.ts';
import { dropKey, clockAheadKey } from '../../server/platform/keys.ts';
import { dropIdSchema } from '../../server/ids.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const boundMin = 10;
/** Stripe tries for three days: the last try is just within them. */
const lateMs = 72 * hourMs - 10 * minuteMs;

export const webhooksLate: Fault = {
  number: 12,
  title: 'webhooks come early, twice, out of order, 72 h late, never',
  needs: { env: { LUA_CLOCK: 'test' } },
  async run(world, chance) {
    const { stripe, signal } = world;
    await stripe.seed(Math.floor(chance.next() * 2 ** 31));
    const sale = await openSale(world, 12, { paymentWindowMs: hourMs, holdTtlMs: hourMs, passTtlMs: hourMs });
    let aheadMs = 0;
    const forward = async (ms: number) => {
      aheadMs += ms;
      await moveClocks(world, sale, aheadMs);
      await stripe.advance(ms);
    };

    // Before the API's own answer: the capture is made and told of, and its answer never comes.
    const early = await sale.shopper();
    await stripe.addFault({ kind: 'timeout', acted: true, operation: 'payment_intents.capture', times: 1 });
    await early.buy();
    await stripe.clearFaults();

    // Twice and out of order.
    await stripe.addWebhookFault({ kind: 'reorder', delayMs: 2_000 });
    await stripe.addWebhookFault({ kind: 'duplicate', copies: 3, delayMs: 500 });
    const doubled = await shoppersOf(sale, 3);
    await Promise.all(doubled.map(shopper => shopper.buy()));
    await stripe.clearFaults();

    // Never: found by a look.
    await stripe.addWebhookFault({ kind: 'drop' });
    const lost = await startPaying(await sale.shopper());
    await lost.confirm();
    let foundAfterMin = 0;
    while ((await sale.report()).orders['paid'] !== 5 && foundAfterMin < 2 * boundMin) {
      await forward(minuteMs);
      foundAfterMin += 1;
      await waitUntil('a look', async () => (await sale.report()).orders['paid'] === 5, {
        signal,
        withinMs: 2_500,
        everyMs: 100,
      }).catch(() => undefined);
    }
    await stripe.clearFaults();

    // Three days late: one that was paid, and one that nobody paid, whose windows have long ended.
    await stripe.pauseWebhooks();
    const paid = await startPaying(await sale.shopper());
    const idle = await startPaying(await sale.shopper());
    await paid.confirm();
    await forward(hourMs + minuteMs);
    const before = await sale.atRest();
    await forward(lateMs - hourMs);
    await stripe.resumeWebhooks('shuffle');
    await waitUntil('the late webhooks have come', async () => (await stripe.webhooks())['pending'] === 0, {
      signal,
      everyMs: 100,
    });
    const report = await sale.atRest();
    const webhooks = await stripe.webhooks();
    await sale.close();
    const ended = (id: string, from: typeof report) => from.underWay.some(what => what.includes(id));
    return {
      figures: {
        foundAfterMin,
        boundMin,
        delivered: Number(webhooks['delivered']),
        dropped: Number(webhooks['dropped']),
        sold: report.sold,
        capturedMinor: report.capturedMinor ?? -1,
        booksMinor: report.expectedMinor,
      },
      checks: [
        check.atMost('minutes until a payment without a webhook was found', foundAfterMin, boundMin),
        check.is('paid before the late webhooks came', before.orders['paid'] ?? 0, 6),
        check.is('orders by status', JSON.stringify(report.orders), JSON.stringify(before.orders)),
        check.is('expired', report.orders['expired'] ?? 0, 1),
        check.is('still under way', [paid, idle].filter(({ orderId }) => ended(orderId, report)).length, 0),
        check.is('captured less the books', (report.capturedMinor ?? 0) - report.expectedMinor, 0),
        check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
      ],
    };
  },
};

async function moveClocks({ redis }: World, sale: Sale, aheadMs: number): Promise<void> {
  await redis.set(dropKey(dropIdSchema.parse(sale.dropId), 'clock'), aheadMs);
  await redis.set(clockAheadKey, aheadMs);
}
