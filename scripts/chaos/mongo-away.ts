// Fault 8: MongoDB is killed, and later stalls for five seconds, while a crowd pays.
import { quietWait } from '../drill/quiet-wait.ts';
import { crowdFigures, sendCrowd } from './crowd.ts';
import { check, type Fault } from './fault.ts';

const boundMs = 10_000;
const stallMs = 5_000;
/** What a server may grow by while a crowd of this size cannot be served. */
const growthMiBMax = 250;

export const mongoAway: Fault = {
  number: 8,
  title: 'MongoDB is killed, then stalls for 5 s',
  needs: null,
  async run(world, chance) {
    const { installation, signal } = world;
    const recoveriesMs: number[] = [];
    const { drill, checks } = await sendCrowd(world, {}, async crowd => {
      await crowd.untilPaid(3 + Math.floor(chance.next() * 6));
      installation.kill('mongo');
      await installation.untilReady('mongo');
      recoveriesMs.push(await crowd.untilPaying());
      await crowd.untilPaid(14 + Math.floor(chance.next() * 6));
      const { mongo } = installation.pids();
      if (mongo === undefined) throw new Error('MongoDB is not running');
      process.kill(mongo, 'SIGSTOP');
      try {
        await quietWait(stallMs, signal);
      } finally {
        process.kill(mongo, 'SIGCONT');
      }
      recoveriesMs.push(await crowd.untilPaying());
    });
    const recoveryMs = Math.max(...recoveriesMs);
    const grownMiB = Math.max(
      ...drill.result.servers.map(({ rssPeakBytes, rssBeforeBytes }) =>
        Math.round((rssPeakBytes - rssBeforeBytes) / 2 ** 20),
      ),
    );
    return {
      figures: { recoveryMs, boundMs, grownMiB, toldPaid: drill.ends.paid, ...crowdFigures(drill) },
      checks: [
        check.atMost('ms until somebody was told "paid"', recoveryMs, boundMs),
        check.atMost('MiB that a server grew by', grownMiB, growthMiBMax),
        check.is('buyers told "paid" less paid orders', drill.ends.paid - drill.result.ordersPaid, 0),
        ...checks,
      ],
    };
  },
};
