// Fault 5: the stock's Redis fails over to a replica that lags, while one server still talks to the old one; later it
// fails back. A unit that both gave away goes to who pays first: the other gets another one, or, where none is left,
// their authorisation is cancelled and never captured.
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { z } from 'zod';
import { freePort } from '../supervisor/ports.ts';
import { check, type Fault } from './fault.ts';
import { openSale, shoppersOf, startPaying, takeUnit, type Sale, type Shopper } from './sale.ts';
import { startTcpProxy } from './tcp-proxy.ts';
import { waitUntil } from './wait-until.ts';
import type { World } from './world.ts';

const boundMs = 30_000;
const priceMinor = 4_900;
const booksSchema = z.object({
  byStatus: z.record(z.string(), z.int()),
  totals: z.record(z.string(), z.object({ captured: z.int() })),
});

export const failover: Fault = {
  number: 5,
  title: 'failover to a replica that lags, and back',
  needs: { servers: 2, splitRedis: true },
  async run(world, chance) {
    const { installation, proxy } = world;
    const [old = '', other = ''] = installation.urls;
    const scarce = await openSale(world, 2);
    const ample = await openSale(world, 3);
    const [paidBefore, ...contenders] = await shoppersOf(scarce, 3, other);
    const [first, second] = contenders;
    const [third, fourth] = await shoppersOf(ample, 2, other);
    if (!paidBefore || !first || !second || !third || !fourth) throw new Error('there are five shoppers');
    await paidBefore.buy();
    const replica = await startReplica(world);
    try {
      // From here on the replica hears nothing more.
      replica.lag();
      await takeUnit(first, old);
      await takeUnit(third, old);
      // The others fail over; the first server cannot see that.
      await replica.promote();
      const failedOverAtMs = performance.now();
      proxy('redis-of-others').targetPort = replica.port;
      proxy('redis-of-others').reset();
      await second.quote({ url: other });
      await fourth.quote({ url: other });
      for (const shopper of [second, fourth]) {
        await shopper.untilHeld('the unit is given once more', { url: other, withinMs: 2 * boundMs });
      }
      const recoveryMs = Math.round(performance.now() - failedOverAtMs);
      await first.pay({ url: old });
      await third.pay({ url: old });
      await startPaying(second, other);
      await startPaying(fourth, other);
      const order = chance.happens(0.5) ? [first, second] : [second, first];
      for (const shopper of [...order, third, fourth]) await shopper.confirm();
      const ended = ['paid', 'cancelled', 'expired'];
      const ends = await Promise.all([first, second].map(shopper => shopper.untilOrder(ended, 120_000)));
      await third.untilOrder(['paid'], 120_000);
      await fourth.untilOrder(['paid'], 120_000);
      // The first server sees the new one, too.
      proxy('redis').targetPort = replica.port;
      proxy('redis').reset();

      const backMs = await failBack(world, replica.redis, ample);
      const loser = ends.find(({ status }) => status !== 'paid');
      const books = booksSchema.parse(await world.stripe.books({ order: loser?.orderId ?? '' }));
      const reports = [await scarce.atRest(120_000), await ample.atRest(120_000)];
      await scarce.close();
      await ample.close();
      return {
        figures: {
          recoveryMs,
          failBackMs: backMs,
          boundMs,
          sold: reports.map(({ sold }) => sold).join(' and '),
          loserAtStripe: Object.keys(books.byStatus).join(),
          loserCapturedMinor: books.totals['eur']?.captured ?? 0,
        },
        checks: [
          check.atMost('ms until the sale went on at the replica', recoveryMs, boundMs),
          check.atMost('ms until it went on after the fail-back', backMs, boundMs),
          check.is(
            'paid of the two who had one unit',
            ends.filter(({ status }) => status === 'paid').length,
            1,
          ),
          check.is('the loser’s payment at Stripe', Object.keys(books.byStatus).join(), 'canceled'),
          check.is('captured of the loser', books.totals['eur']?.captured ?? 0, 0),
          check.is('sold', reports.map(({ sold }) => sold).join(), '2,3'),
          check.is(
            'oversold',
            reports.reduce((sum, { oversold }) => sum + oversold, 0),
            0,
          ),
          check.is(
            'captured',
            reports.reduce((sum, { capturedMinor }) => sum + (capturedMinor ?? 0), 0),
            5 * priceMinor,
          ),
        ],
      };
    } finally {
      await replica.stop();
    }
  },
};

/** The old primary comes back as a replica of the new one, catches up, and takes over again. */
async function failBack(world: World, from: Redis, sale: Sale): Promise<number> {
  const { installation, proxy, signal, redis } = world;
  const last: Shopper = await sale.shopper();
  await redis.replicaof('127.0.0.1', String(from.options.port ?? 0));
  await waitUntil(
    'the old primary has caught up',
    async () => /master_link_status:up/.test(await redis.info('replication')),
    { signal },
  );
  for (const name of ['redis', 'redis-of-others'] as const) proxy(name).cut();
  await waitUntil('both have the same', async () => (await offset(redis)) === (await offset(from)), {
    signal,
  });
  await redis.replicaof('NO', 'ONE');
  for (const name of ['redis', 'redis-of-others'] as const) {
    proxy(name).targetPort = installation.portOf('redis');
    proxy(name).restore();
  }
  const startedAtMs = performance.now();
  await last.quote();
  await last.untilHeld('the sale goes on', { withinMs: 2 * boundMs });
  const backMs = Math.round(performance.now() - startedAtMs);
  await last.buy();
  return backMs;
}

async function offset(redis: Redis): Promise<string> {
  return /master_repl_offset:(\d+)/.exec(await redis.info('replication'))?.[1] ?? '';
}

async function startReplica({ installation, signal }: World) {
  const folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-replica-'));
  const link = await startTcpProxy(installation.portOf('redis'));
  const port = await freePort();
  const args = ['--port', port, '--dir', folder, '--appendonly', 'yes', '--save', '', '--bind', '127.0.0.1'];
  const child: ChildProcess = spawn(
    'redis-server',
    [...args.map(String), '--replicaof', `127.0.0.1 ${link.port}`],
    { stdio: 'ignore' },
  );
  const redis = new Redis({ port, retryStrategy: () => 100, maxRetriesPerRequest: null });
  redis.on('error', () => undefined);
  const stop = async () => {
    redis.disconnect();
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    await link.close();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await waitUntil(
      'the replica has caught up',
      async () => /master_link_status:up/.test(await redis.info('replication')),
      { signal },
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    redis,
    lag: () => link.stall(),
    promote: () => redis.replicaof('NO', 'ONE'),
    stop,
  };
}
