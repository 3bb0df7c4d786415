// Fault 19: a server is told to end (SIGTERM) in the middle of a drop, as in a deployment.
import { Agent, get } from 'node:http';
import { WebSocket } from 'ws';
import { crowdFigures, sendCrowd } from './crowd.ts';
import { check, type Fault } from './fault.ts';
import { waitUntil } from './wait-until.ts';

const boundMs = 25_000;
const watchersCount = 16;
/** "Service restart", as a server says that its process ends and another will take the call. */
const restartCode = 1012;

export const serverEnds: Fault = {
  number: 19,
  title: 'a server is told to end in the middle of a drop',
  needs: { servers: 2, portShared: true },
  async run(world, chance) {
    const { installation, signal } = world;
    let exitMs = 0;
    let notReadyCount = 0;
    const closeCodes: number[] = [];
    const { drill, checks } = await sendCrowd(world, {}, async crowd => {
      await crowd.untilPaid(6 + Math.floor(chance.next() * 10));
      const sockets = Array.from({ length: watchersCount }, () => {
        const socket = new WebSocket(`${installation.url.replace('http', 'ws')}/trpc`);
        socket.on('close', code => closeCodes.push(code));
        socket.on('error', () => undefined);
        return socket;
      });
      // Each has one connection, and so one server, for as long as it is kept alive.
      const agents = Array.from(
        { length: watchersCount },
        () => new Agent({ keepAlive: true, maxSockets: 1 }),
      );
      const opened = () => sockets.every(({ readyState }) => readyState === WebSocket.OPEN);
      await waitUntil('the sockets are open', opened, { signal });
      await Promise.all(agents.map(agent => statusOf(`${installation.url}/health/ready`, agent)));
      const { server: pid } = installation.pids();
      if (pid === undefined) throw new Error('the server is not running');
      const startedAtMs = performance.now();
      installation.kill('server', 'SIGTERM');
      await waitUntil(
        'the process is gone',
        async () => {
          const statuses = await Promise.all(
            agents.map(agent => statusOf(`${installation.url}/health/ready`, agent)),
          );
          notReadyCount += statuses.filter(status => status === 503).length;
          return !isAlive(pid);
        },
        { signal, withinMs: 2 * boundMs, everyMs: 20 },
      );
      exitMs = Math.round(performance.now() - startedAtMs);
      crowd.askForPlaces();
      await installation.untilReady('server');
      for (const socket of sockets) socket.terminate();
      for (const agent of agents) agent.destroy();
    });
    const told = closeCodes.filter(code => code === restartCode).length;
    return {
      figures: { exitMs, boundMs, notReadyCount, socketsTold: told, ...crowdFigures(drill) },
      checks: [
        check.atMost('ms until it was gone', exitMs, boundMs),
        check.atLeast('answers "not ready" before it was gone', notReadyCount, 1),
        check.atLeast('sockets told to come back elsewhere', told, 1),
        ...checks,
      ],
    };
  },
};

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** 0 where no answer came. */
function statusOf(url: string, agent: Agent): Promise<number> {
  return new Promise(resolve => {
    get(url, { agent, timeout: 2_000 }, response => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('timeout', () => resolve(0))
      .on('error', () => resolve(0));
  });
}
