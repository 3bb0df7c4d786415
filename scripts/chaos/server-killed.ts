// Fault 1: a server is killed at each step of a checkout. A step is a message that names the purchase, to Redis, MongoDB
// or Stripe: the first purchase loses its server at the first of them, the next at the second, and so on, until one
// goes through. The message is lost with the server, or still arrives, by lot. The buyer comes back at another server.
import { check, type Fault } from './fault.ts';
import { openSale, type Shopper } from './sale.ts';
import type { ServiceName, World } from './world.ts';

const boundMs = 5_000;
const stepsMax = 40;
const services = ['redis', 'redis-jobs', 'mongo', 'stripe'] as const satisfies readonly ServiceName[];

export const serverKilled: Fault = {
  number: 1,
  title: 'a server is killed at each step of a checkout',
  needs: { servers: 2 },
  async run(world, chance) {
    const { installation } = world;
    const [doomed = '', safe = ''] = installation.urls;
    const sale = await openSale(world, stepsMax);
    const recoveriesMs: number[] = [];
    const shoppers: Shopper[] = [];
    let killed = true;
    let steps = 0;
    for (; killed && steps < stepsMax; steps += 1) {
      await installation.untilReady('server');
      await world.untilReady(doomed);
      const shopper = await sale.shopper(safe);
      shoppers.push(shopper);
      const kill = killAt(world, { text: shopper.holdId, step: steps, withMessage: chance.happens(0.5) });
      try {
        await shopper.quote();
        for (const act of ['tryHold', 'pay'] as const) {
          const first = act === 'pay' ? shopper.pay({ url: doomed, withinMs: 1 }) : shopper.tryHold(doomed);
          await first.catch(() => undefined);
          const again = await (act === 'pay' ? shopper.pay() : shopper.hold());
          if (again.kind !== 'held' && again.kind !== 'payable') throw new Error(`${act}: ${again.kind}`);
          if (kill.atMs() !== null && kill.isFresh())
            recoveriesMs.push(performance.now() - (kill.atMs() ?? 0));
        }
      } finally {
        kill.end();
      }
      killed = kill.atMs() !== null;
      await shopper.confirm();
    }
    // The news of the payment: the server that takes the webhooks dies on it.
    for (let step = 0; step < 3; step += 1) {
      await world.untilReady(doomed);
      const shopper = await sale.shopper(safe);
      shoppers.push(shopper);
      await shopper.hold();
      await shopper.pay();
      const text = shopper.paymentId() ?? shopper.holdId;
      const kill = killAt(world, { text, step, withMessage: chance.happens(0.5) });
      await shopper.confirm();
      await shopper.untilOrder(['paid']).finally(() => kill.end());
    }
    for (const shopper of shoppers) await shopper.untilOrder(['paid']);
    await installation.untilReady('server');
    const report = await sale.atRest();
    await sale.close();
    const recoveryMs = Math.round(Math.max(...recoveriesMs));
    return {
      figures: {
        recoveryMs,
        boundMs,
        steps: steps - 1,
        purchases: shoppers.length,
        sold: report.sold,
        oversold: report.oversold,
      },
      checks: [
        check.atMost('ms until the buyer was served again', recoveryMs, boundMs),
        check.atLeast('steps at which the server was killed', steps - 1, 4),
        check.atMost('steps', steps, stepsMax - 1),
        check.is('sold', report.sold, shoppers.length),
        check.is(
          'payments',
          Object.values(report.payments?.byStatus ?? {}).reduce((a, b) => a + b, 0),
          shoppers.length,
        ),
        check.is('captured less the books', (report.capturedMinor ?? 0) - report.expectedMinor, 0),
        check.is('findings of its report', report.findings.map(({ what }) => what).join('; '), ''),
      ],
    };
  },
};

/** Kills the first server at the given message, counted from 0, that has the text in it. */
function killAt(world: World, at: { text: string; step: number; withMessage: boolean }) {
  let seen = 0;
  let killedAtMs: number | null = null;
  let isFresh = false;
  for (const service of services) {
    world.proxy(service).watch = text => {
      if (killedAtMs !== null || !text.includes(at.text)) return 'pass';
      seen += 1;
      if (seen <= at.step) return 'pass';
      killedAtMs = performance.now();
      isFresh = true;
      world.installation.kill('server');
      return at.withMessage ? 'pass' : 'cut-before';
    };
  }
  return {
    atMs: () => killedAtMs,
    /** True once after the kill. */
    isFresh() {
      const was = isFresh;
      isFresh = false;
      return was;
    },
    end() {
      for (const service of services) world.proxy(service).watch = null;
    },
  };
}
