// Fault 9: a server's clock is ten minutes ahead, and then steps to ten minutes behind.
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { check, type Fault } from './fault.ts';
import { openSale, shoppersOf, startPaying } from './sale.ts';
import { waitUntil } from './wait-until.ts';

const holdTtlMs = 4_000;
const paymentWindowMs = 20_000;
/** An expiry may be read a little later than it was set, and a hold is swept within two seconds of its end. */
const slackMs = 1_500;
const sweptWithinMs = 2_000;
const skewedClock = pathToFileURL(path.join(import.meta.dirname, 'skewed-clock.ts')).href;

export const clockWrong: Fault = {
  number: 9,
  title: 'a server’s clock is 10 min off, and steps',
  needs: {
    servers: 2,
    envOf: name => (name === 'server' ? { NODE_OPTIONS: `--import=${skewedClock}` } : {}),
  },
  async run(world) {
    const { installation, signal } = world;
    const [wrong = '', right = ''] = installation.urls;
    const sale = await openSale(world, 12, { holdTtlMs, paymentWindowMs });
    const offByMs: number[] = [];
    const lateMs: number[] = [];
    const bought: string[] = [];
    const rounds = async () => {
      // Sessions, tickets and passes of either server at the other.
      const [swept, atWrong, atRight] = await shoppersOf(sale, 3, wrong);
      if (!swept || !atWrong || !atRight) throw new Error('there are three shoppers');
      const held = await swept.hold({ url: wrong });
      if (held.kind !== 'held') throw new Error(`not held but ${held.kind}`);
      offByMs.push(Math.abs(held.expiresAtMs - Date.now() - holdTtlMs));
      await startPaying(atWrong, right);
      await startPaying(atRight, wrong);
      for (const shopper of [atWrong, atRight]) {
        await shopper.confirm();
        bought.push((await shopper.untilOrder(['paid'])).status);
      }
      await waitUntil(
        'the unpaid hold is swept',
        async () => (await swept.api(right).hold.get.query({ holdId: swept.holdId })).kind === 'released',
        { signal },
      );
      lateMs.push(Date.now() - held.expiresAtMs);
    };
    await rounds();
    const { server: pid } = installation.pids();
    if (pid === undefined) throw new Error('the server is not running');
    process.kill(pid, 'SIGUSR2');
    await rounds();
    const report = await sale.atRest();
    await sale.close();
    return {
      figures: {
        expiryOffMs: Math.round(Math.max(...offByMs)),
        sweptLateMs: Math.round(Math.max(...lateMs)),
        sold: report.sold,
      },
      checks: [
        check.atMost('ms that an expiry was off', Math.max(...offByMs), slackMs),
        check.atMost('ms that a sweep was late', Math.max(...lateMs), sweptWithinMs),
        check.atLeast('ms that a sweep was late', Math.min(...lateMs), 0),
        check.is('paid', bought.length, 4),
        check.is('sold', report.sold, 4),
        check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
      ],
    };
  },
};
