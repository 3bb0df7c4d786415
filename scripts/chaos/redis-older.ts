// Fault 4: Redis comes back without the last two seconds of its log, and later with nothing at all, while a crowd buys.
import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { quietWait } from '../drill/quiet-wait.ts';
import { crowdFigures, sendCrowd } from './crowd.ts';
import { check, type Fault } from './fault.ts';

const boundMs = 30_000;
const lostMs = 2_000;

export const redisOlder: Fault = {
  number: 4,
  title: 'Redis comes back older, then empty',
  needs: null,
  async run(world, chance) {
    const { installation, proxy, signal } = world;
    const recoveriesMs: number[] = [];
    let lostBytes = 0;
    const comeBack = async (spoil: () => void, untilHolding: () => Promise<number>) => {
      proxy('redis').cut();
      await installation.halt('redis');
      spoil();
      await installation.start('redis');
      proxy('redis').restore();
      recoveriesMs.push(await untilHolding());
    };
    const folder = path.join(installation.dataDir, 'redis');
    const { drill, checks } = await sendCrowd(world, {}, async crowd => {
      await crowd.untilPaid(4 + Math.floor(chance.next() * 6));
      const log = logOf(folder);
      const size = statSync(log).size;
      await quietWait(lostMs, signal);
      await comeBack(
        () => {
          lostBytes = statSync(log).size - size;
          truncateSync(log, size);
        },
        () => crowd.untilHolding(),
      );
      crowd.askForPlaces();
      await crowd.untilPaid(18 + Math.floor(chance.next() * 6));
      await comeBack(
        () => rmSync(path.join(folder, 'appendonlydir'), { recursive: true }),
        () => crowd.untilHolding(),
      );
    });
    const recoveryMs = Math.max(...recoveriesMs);
    return {
      figures: { recoveryMs, boundMs, lostBytes, ...crowdFigures(drill) },
      checks: [
        check.atMost('ms until somebody held a unit', recoveryMs, boundMs),
        check.atLeast('bytes that were lost', lostBytes, 1),
        ...checks,
      ],
    };
  },
};

function logOf(folder: string): string {
  const found = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find(name =>
    name.endsWith('.incr.aof'),
  );
  if (!found) throw new Error('Redis keeps no log');
  return path.join(folder, found);
}
