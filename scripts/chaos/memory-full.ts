// Fault 7: the stock's Redis is at its maxmemory, and then the jobs' Redis is.
import { Redis } from 'ioredis';
import { check, type Fault } from './fault.ts';
import { openSale, rawCall, shoppersOf, startPaying, takeUnit } from './sale.ts';
import { waitUntil } from './wait-until.ts';
import type { World } from './world.ts';

const holdTtlMs = 6_000;
/** A hold that ran out is back on the shelf within this of its end. */
const sweptWithinMs = 2_000;

export const memoryFull: Fault = {
  number: 7,
  title: 'Redis is at maxmemory: of the stock, of the jobs',
  needs: null,
  async run(world) {
    const { installation, signal } = world;
    const sale = await openSale(world, 8, { holdTtlMs });
    const [toSweep, toRelease, toPay, fresh, last] = await shoppersOf(sale, 5);
    if (!toSweep || !toRelease || !toPay || !fresh || !last) throw new Error('there are five shoppers');
    await startPaying(toPay);
    await takeUnit(toRelease);
    const swept = await toSweep.hold();
    if (swept.kind !== 'held') throw new Error(`not held but ${swept.kind}`);
    const quote = await fresh.quote();

    const fillsAgain = await fill(world, 'redis');
    const refusal = await rawCall(installation.url, 'hold.place', {
      token: fresh.token,
      input: { holdId: fresh.holdId, pass: fresh.pass, quote },
    });
    const released = await toRelease.api().hold.release.mutate({ holdId: toRelease.holdId });
    await toPay.confirm();
    await toPay.untilOrder(['paid']);
    const settled = async () =>
      (await toPay.api().hold.get.query({ holdId: toPay.holdId })).kind === 'settled';
    const settledMs = await waitUntil('the hold is settled', settled, { signal });
    await waitUntil(
      'the unpaid hold is swept',
      async () => (await toSweep.api().hold.get.query({ holdId: toSweep.holdId })).kind === 'released',
      { signal },
    );
    const sweptLateMs = Date.now() - swept.expiresAtMs;
    const full = await sale.stock();
    await fillsAgain();
    await fresh.buy();

    const jobsFill = await fill(world, 'redis-jobs');
    const startedAtMs = performance.now();
    await last.buy();
    const jobsFullMs = Math.round(performance.now() - startedAtMs);
    await jobsFill();
    const report = await sale.atRest();
    await sale.close();
    return {
      figures: { sweptLateMs, settledMs, paidWithJobsFullMs: jobsFullMs, sold: report.sold },
      checks: [
        check.is(
          'a new hold',
          `${refusal.status}${refusal.retryAfter ? ' with Retry-After' : ''}`,
          '503 with Retry-After',
        ),
        check.is('a release', released.kind, 'released'),
        check.atMost('ms that the sweep was late', sweptLateMs, sweptWithinMs),
        check.is('stock while full', `${full.available} ${full.held} ${full.sold}`, '7 0 1'),
        check.is('sold', report.sold, 3),
        check.is('captured less the books', (report.capturedMinor ?? 0) - report.expectedMinor, 0),
        check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
      ],
    };
  },
};

/** Answers how to give the memory back. */
async function fill({ installation }: World, name: 'redis' | 'redis-jobs'): Promise<() => Promise<void>> {
  const redis = new Redis({ port: installation.portOf(name) });
  const before: unknown = await redis.config('GET', 'maxmemory');
  const maxmemory = Array.isArray(before) ? String(before[1]) : '0';
  await redis.config('SET', 'maxmemory', '1');
  return async () => {
    await redis.config('SET', 'maxmemory', maxmemory);
    redis.disconnect();
  };
}
