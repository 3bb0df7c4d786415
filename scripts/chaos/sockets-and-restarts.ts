// Fault 14: thousands wait on sockets, one in ten of them reading slowly, while the servers restart one after another.
import { WebSocket } from 'ws';
import { crowdFigures, sendCrowd } from './crowd.ts';
import { check, type Fault } from './fault.ts';
import { openSale } from './sale.ts';
import { waitUntil } from './wait-until.ts';
import type { World } from './world.ts';

const socketsCount = 5_000;
const slowCount = socketsCount / 10;
/** A ping, its answer that does not come, and a look at all sockets: 37 s; the rest is for a machine that is busy. */
const slowClosedBoundMs = 60_000;
const growthMiBMax = 600;
/** Of those who lost their server, so many at most come back within one second; all at once would be a storm. */
const busiestSecondShareMax = 0.6;

export const socketsAndRestarts: Fault = {
  number: 14,
  title: '5,000 sockets, one in ten slow, while servers restart',
  needs: { servers: 2, portShared: true },
  async run(world) {
    const slowClosedMs = await outlastSlowReaders(world);
    const openedAtMs: number[] = [];
    const restartsAtMs: number[] = [];
    const { drill, checks } = await sendCrowd(
      world,
      {
        buyersCount: socketsCount - slowCount,
        stockCount: 150,
        shape: 'lobby',
        pace: { ratePerSec: 12, activeMax: 40 },
        withinMs: 400_000,
        onSocketOpen: () => void openedAtMs.push(performance.now()),
      },
      async crowd => {
        await crowd.untilPaid(5);
        for (const name of ['server', 'server-2']) {
          restartsAtMs.push(performance.now());
          world.installation.kill(name, 'SIGTERM');
          await world.installation.untilReady(name);
        }
        crowd.askForPlaces();
      },
    );
    const { servers } = drill.result;
    const grownMiB = Math.max(
      ...servers.map(({ rssPeakBytes, rssBeforeBytes }) =>
        Math.round((rssPeakBytes - rssBeforeBytes) / 2 ** 20),
      ),
    );
    const [firstMs = 0] = restartsAtMs;
    const again = openedAtMs.filter(atMs => atMs > firstMs);
    const share = busiestSecond(again) / Math.max(1, again.length);
    return {
      figures: {
        sockets: socketsCount,
        slow: slowCount,
        slowClosedMs,
        cameBack: again.length,
        busiestSecondPercent: Math.round(share * 100),
        grownMiB,
        placesTold: drill.result.places.ranked,
        placesMoved: drill.result.places.moved,
        placesLost: drill.result.places.lost,
        ...crowdFigures(drill),
      },
      checks: [
        check.atMost('ms until the slow sockets were closed', slowClosedMs, slowClosedBoundMs),
        check.atMost('MiB that a server grew by', grownMiB, growthMiBMax),
        check.atLeast('sockets that came back', again.length, socketsCount / 4),
        check.atMost('share of them in the busiest second', share, busiestSecondShareMax),
        ...checks,
      ],
    };
  },
};

/** Sockets that watch a drop and read nothing; answers when the servers had none of them left. */
async function outlastSlowReaders(world: World): Promise<number> {
  const { installation, signal } = world;
  const sale = await openSale(world, 1);
  const sockets = Array.from({ length: slowCount }, () => {
    const socket = new WebSocket(`${installation.url.replace('http', 'ws')}/trpc`, {
      perMessageDeflate: false,
    });
    const input = { dropId: sale.dropId };
    socket.on('error', () => undefined);
    socket.on('open', () => {
      socket.send(JSON.stringify({ id: 1, method: 'subscription', params: { path: 'drop.watch', input } }));
      // From here on what the server sends stays on the way: neither ticks are read nor pings answered.
      socket.once('message', () => socket.pause());
    });
    return socket;
  });
  await waitUntil('the slow sockets watch', () => sockets.every(({ isPaused }) => isPaused), {
    signal,
    withinMs: 60_000,
  });
  const closedMs = await waitUntil(
    'the slow sockets are closed',
    async () => (await socketsAt(installation.url)) === 0,
    { signal, withinMs: 2 * slowClosedBoundMs, everyMs: 500 },
  );
  for (const socket of sockets) socket.terminate();
  await sale.close();
  return closedMs;
}

/** Of both servers: a connection goes to either of them, so several looks are taken. */
async function socketsAt(url: string): Promise<number> {
  const seen = new Map<string, number>();
  for (let looks = 0; looks < 12; looks += 1) {
    const text = await (await fetch(`${url}/metrics`, { headers: { connection: 'close' } })).text();
    const pid = /^doorbuster_process\{pid="(\d+)"\}/m.exec(text)?.[1] ?? '';
    seen.set(pid, Number(/^doorbuster_sockets(?:\{[^}]*\})? (\d+)/m.exec(text)?.[1] ?? 0));
  }
  return [...seen.values()].reduce((sum, count) => sum + count, 0);
}

function busiestSecond(atMs: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const at of atMs) counts.set(Math.floor(at / 1_000), (counts.get(Math.floor(at / 1_000)) ?? 0) + 1);
  return Math.max(0, ...counts.values());
}
