// Fault 13: payments are authorised just before, while and after their window ends, and no webhook tells of them. What
// Stripe's books say in the end is what counts.
import { z } from 'zod';
import { quietWait } from '../drill/quiet-wait.ts';
import { check, type Fault } from './fault.ts';
import { openSale, shoppersOf } from './sale.ts';

const windowMs = 5_000;
const shoppersCount = 20;
/** From this long before the end of the window until this long after it; the engine's grace of two seconds is within. */
const spread = { beforeMs: 1_500, afterMs: 4_500 };
const priceMinor = 4_900;

const booksSchema = z.object({
  byStatus: z.record(z.string(), z.int()),
  totals: z.record(z.string(), z.object({ captured: z.int(), refunded: z.int() })),
});

export const windowEnds: Fault = {
  number: 13,
  title: 'payments around the end of their window',
  needs: null,
  async run(world, chance) {
    const { stripe, signal } = world;
    await stripe.seed(Math.floor(chance.next() * 2 ** 31));
    const sale = await openSale(world, shoppersCount, { paymentWindowMs: windowMs });
    await stripe.addWebhookFault({ kind: 'drop' });
    // Looks and cancellations that take a while leave room for a payment in between.
    await stripe.addFault({
      kind: 'latency',
      delayMs: 400,
      operation: 'payment_intents.cancel',
      probability: 0.5,
    });
    try {
      const shoppers = await shoppersOf(sale, shoppersCount);
      const told = await Promise.all(
        shoppers.map(async (shopper, index) => {
          const paid = await shopper.hold().then(() => shopper.pay());
          if (paid.kind !== 'payable') throw new Error(`not payable but ${paid.kind}`);
          const share = (index + chance.next()) / shoppersCount;
          const atMs = paid.expiresAtMs - spread.beforeMs + share * (spread.beforeMs + spread.afterMs);
          await quietWait(atMs - Date.now(), signal);
          const outcome = await shopper.confirm();
          return { shopper, inTime: Date.now() < paid.expiresAtMs, confirmed: outcome.kind === 'confirmed' };
        }),
      );
      const report = await sale.atRest();
      const ends = await Promise.all(
        told.map(async ({ shopper, inTime, confirmed }) => {
          const order = await shopper.order();
          const books = booksSchema.parse(await stripe.books({ order: shopper.orderId }));
          const captured = books.totals['eur']?.captured ?? 0;
          return { status: order?.status ?? 'absent', books, captured, inTime, confirmed };
        }),
      );
      await sale.close();
      const count = (is: (end: (typeof ends)[number]) => boolean) => ends.filter(is).length;
      const paid = count(({ status }) => status === 'paid');
      const ended = count(({ status }) => status === 'expired' || status === 'cancelled');
      return {
        figures: {
          inTime: count(({ inTime, confirmed }) => inTime && confirmed),
          paid,
          ended,
          letGo: count(({ status, confirmed }) => confirmed && status !== 'paid'),
          capturedMinor: report.capturedMinor ?? -1,
          booksMinor: report.expectedMinor,
        },
        checks: [
          check.is('neither paid nor ended', ends.length - paid - ended, 0),
          check.atLeast(
            'authorised in time',
            count(({ inTime, confirmed }) => inTime && confirmed),
            1,
          ),
          check.is(
            'authorised in time and not paid',
            count(({ inTime, confirmed, status }) => inTime && confirmed && status !== 'paid'),
            0,
          ),
          check.is(
            'paid and not captured in full',
            count(({ status, captured }) => status === 'paid' && captured !== priceMinor),
            0,
          ),
          check.is(
            'ended and captured',
            count(({ status, captured }) => status !== 'paid' && captured > 0),
            0,
          ),
          check.is(
            'ended and not cancelled at Stripe',
            count(({ status, books }) => status !== 'paid' && books.byStatus['canceled'] !== 1),
            0,
          ),
          check.atLeast('ended', ended, 1),
          check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
        ],
      };
    } finally {
      await stripe.clearFaults();
    }
  },
};
