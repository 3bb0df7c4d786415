// Fault 18: MongoDB comes back from a backup, and does not know the payments that were captured since.
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { failureOf } from '../../client/index.ts';
import { check, type Fault } from './fault.ts';
import { openSale, shoppersOf } from './sale.ts';
import { waitUntil } from './wait-until.ts';
import type { World } from './world.ts';

const boundMs = 60_000;
const booksSchema = z.object({
  totals: z.record(z.string(), z.object({ captured: z.int(), refunded: z.int() })),
});

export const backupRestored: Fault = {
  number: 18,
  title: 'MongoDB comes back from an old backup',
  needs: {},
  async run(world) {
    const { installation, stripe, signal } = world;
    const sale = await openSale(world, 6);
    const shoppers = await shoppersOf(sale, 6);
    const [before, since, after] = [shoppers.slice(0, 2), shoppers.slice(2, 4), shoppers.slice(4)];
    for (const shopper of before) await shopper.buy();
    await sale.atRest();
    const folder = path.join(installation.dataDir, 'mongo');
    const backup = path.join(installation.dataDir, 'mongo-backup');
    await exchange(world, () => cpSync(folder, backup, { recursive: true }));
    for (const shopper of since) await shopper.buy();
    await sale.atRest();
    await exchange(world, () => {
      rmSync(folder, { recursive: true });
      cpSync(backup, folder, { recursive: true });
    });

    const quotes = await Promise.all(after.map(shopper => shopper.quote()));
    const blockedMs = await waitUntil(
      'the drop is blocked',
      () =>
        namedIn(
          installation.dataDir,
          since.map(shopper => shopper.paymentId() ?? ''),
        ),
      { signal, withinMs: 2 * boundMs, everyMs: 200 },
    );
    const [first] = after;
    if (!first) throw new Error('there are shoppers left');
    // A rebuild that is stopped answers 503; where the sweep found the payments before it did, the drop is paused.
    const resume = () => world.admin.admin.drop.resume.mutate({ dropId: sale.dropId });
    const holds: string[] = [];
    for (const early of [null, resume]) {
      await early?.().catch(() => undefined);
      const hold = await first.tryHold().then(
        ({ kind }) => kind,
        (error: unknown) => failureOf(error).code,
      );
      holds.push(hold === 'paused' || hold === 'SERVICE_UNAVAILABLE' ? 'refused' : hold);
    }

    // The operator's part: the money of the lost orders goes back, and the drop is let go on.
    for (const shopper of since) await refund(world, shopper.paymentId() ?? '');
    const refundedAtMs = performance.now();
    await waitUntil('the drop may go on', () => resume().then(() => true), {
      signal,
      withinMs: 2 * boundMs,
      everyMs: 200,
    });
    await first.untilHeld('the sale goes on', { withinMs: 2 * boundMs });
    const resumedMs = Math.round(performance.now() - refundedAtMs);
    for (const shopper of after) await shopper.buy();
    const report = await sale.atRest();
    const books = booksSchema.parse(await stripe.books({ drop: sale.dropId })).totals['eur'];
    await sale.close();
    return {
      figures: {
        recoveryMs: blockedMs,
        boundMs,
        resumedMs,
        quotes: quotes.length,
        sold: report.sold,
        capturedMinor: (books?.captured ?? 0) - (books?.refunded ?? 0),
        booksMinor: report.expectedMinor,
      },
      checks: [
        check.atMost('ms until the payments were named', blockedMs, boundMs),
        check.is(
          'holds before the money is back, and after it was told to go on',
          holds.join(),
          'refused,refused',
        ),
        check.atMost('ms until the sale went on once it was', resumedMs, boundMs),
        check.is('sold', report.sold, 4),
        check.is('oversold', report.oversold, 0),
        check.is(
          'captured less the books',
          (books?.captured ?? 0) - (books?.refunded ?? 0) - report.expectedMinor,
          0,
        ),
      ],
    };
  },
};

async function exchange(world: World, act: () => void): Promise<void> {
  const { installation } = world;
  await installation.halt('mongo');
  act();
  await installation.start('mongo');
  await world.untilReady();
}

/** Whether the alarm names each of these payments. */
function namedIn(dataDir: string, paymentIds: readonly string[]): boolean {
  const folder = path.join(dataDir, 'logs');
  const lines = readdirSync(folder)
    .filter(name => name.startsWith('server'))
    .flatMap(name => readFileSync(path.join(folder, name), 'utf8').split('\n'))
    .filter(line => line.includes('payment-without-order'));
  return paymentIds.every(paymentId => lines.some(line => line.includes(paymentId)));
}

/** As at Stripe's dashboard. */
async function refund({ installation }: World, paymentId: string): Promise<void> {
  const response = await fetch(`http://127.0.0.1:${installation.portOf('stripe')}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${installation.env['STRIPE_SECRET_KEY']}` },
    body: new URLSearchParams({ payment_intent: paymentId }),
  });
  if (!response.ok) throw new Error(`Stripe refused the refund: ${await response.text()}`);
}
