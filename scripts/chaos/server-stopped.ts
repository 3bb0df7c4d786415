// Fault 15: a server is stopped in the middle of a checkout, past every deadline and lease, and goes on when another
// buyer has long bought the unit.
import { limits } from '../../server/limits.ts';
import { check, type Fault } from './fault.ts';
import { openSale, takeUnit } from './sale.ts';
import { waitUntil } from './wait-until.ts';
import type { ServiceName } from './world.ts';

/** The checkout's messages at which it is stopped: before the order is there, before the payment is, after it. */
const stops = [1, 3, 5] as const;
const windowMs = 5_000;
/** Its hold may have begun the window of paying late; then the grace, a step that another takes on, and a tick. */
const boundMs = 2 * windowMs + limits.payGraceMs + limits.stepOverdueMs;
const services = ['redis', 'mongo', 'stripe'] as const satisfies readonly ServiceName[];

export const serverStopped: Fault = {
  number: 15,
  title: 'a server is stopped past every lease and goes on',
  needs: { servers: 2 },
  async run(world, chance) {
    const { installation, proxy, signal } = world;
    const [stopped = '', other = ''] = installation.urls;
    let stoppedLongestMs = 0;
    const shelfMs: number[] = [];
    let lateCalls = 0;
    let stopsCount = 0;
    const seen: { sold: number; findings: string; captured: number; loser: string }[] = [];
    for (const stop of stops) {
      const at = stop + Math.floor(chance.next() * 2);
      const sale = await openSale(world, 1, { holdTtlMs: windowMs, paymentWindowMs: windowMs });
      const loser = await sale.shopper(stopped);
      const winner = await sale.shopper(other);
      await takeUnit(loser);
      const { server: pid } = installation.pids();
      if (pid === undefined) throw new Error('the server is not running');
      let messages = 0;
      let isStopped = false;
      for (const service of services) {
        proxy(service).watch = text => {
          if (isStopped || !text.includes(loser.holdId)) return 'pass';
          messages += 1;
          if (messages < at) return 'pass';
          isStopped = true;
          process.kill(pid, 'SIGSTOP');
          return 'pass';
        };
      }
      const startedAtMs = performance.now();
      let late: Promise<unknown>;
      try {
        late = loser.pay({ withinMs: 1 }).catch(() => 'refused');
        await waitUntil('the server is stopped', () => isStopped, { signal, withinMs: 10_000 }).catch(
          () => undefined,
        );
        for (const service of services) proxy(service).watch = null;
        if (isStopped) stopsCount += 1;
        await winner.quote({ url: other });
        const backMs = await winner.untilHeld('the unit is on the shelf again', {
          url: other,
          withinMs: 2 * boundMs,
        });
        shelfMs.push(backMs);
        await winner.buy();
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      stoppedLongestMs = Math.max(stoppedLongestMs, performance.now() - startedAtMs);
      await late;
      lateCalls += 1;
      const report = await sale.atRest();
      seen.push({
        sold: report.sold,
        captured: (report.capturedMinor ?? 0) - report.expectedMinor,
        findings: report.findings.map(({ what }) => what).join('; '),
        loser: (await loser.order())?.status ?? 'absent',
      });
      await sale.close();
    }
    return {
      figures: {
        recoveryMs: Math.max(...shelfMs),
        boundMs,
        stops: stopsCount,
        stoppedLongestMs: Math.round(stoppedLongestMs),
        shelves: shelfMs.map(ms => `${ms} ms`).join(', '),
        lateCalls,
        losers: seen.map(({ loser }) => loser).join(' '),
      },
      checks: [
        check.is('stops', stopsCount, stops.length),
        check.atMost('ms until the unit was on the shelf again', Math.max(...shelfMs), boundMs),
        check.is('sold, of one unit each', seen.map(({ sold }) => sold).join(), stops.map(() => 1).join()),
        check.is(
          'captured less the books',
          seen.reduce((sum, { captured }) => sum + captured, 0),
          0,
        ),
        check.is(
          'losers whose order came to something',
          seen.filter(({ loser }) => !['absent', 'expired', 'cancelled'].includes(loser)).length,
          0,
        ),
        check.is('findings of their reports', seen.map(({ findings }) => findings).join(''), ''),
      ],
    };
  },
};
