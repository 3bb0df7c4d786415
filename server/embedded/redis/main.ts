// Runs the machine's real redis-server as an embedded service: append-only file on, eviction off, reachable
// from this machine alone. Prints one ready line once Redis answers, ends when Redis ends.
//
// What always holds: no redis-server outlives this program. A signal is passed on and waited for; a death
// without warning (kill -9) closes a pipe on which a small shell waits, and that shell ends Redis. Redis
// itself listens to no pipe, and the kernel's own parent-death signal exists on Linux alone.
//
//   node server/embedded/redis/main.ts --port 0 --data DIR [--host 127.0.0.1] [--maxmemory 256mb] [--parent]
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

// A Redis that loads a long append-only file is silent for a while; past this, something is wrong.
const READY_WITHIN_MS = 60_000;
// How long a predecessor on the same data may take to flush and go.
const PREDECESSOR_WITHIN_MS = 5_000;
const POLL_MS = 20;
const BIND_TRIES_MAX = 5;

type Settings = { port: number; data: string; host: string; maxmemory: string; parent: boolean };

let stopping = false;

async function main(): Promise<void> {
  const settings = readSettings(process.argv.slice(2));
  mkdirSync(settings.data, { recursive: true, mode: 0o700 });
  const pidFile = path.join(settings.data, 'redis.pid');
  await untilPredecessorGone(pidFile);

  for (let attempt = 1; ; attempt += 1) {
    const port = settings.port === 0 ? await freePort(settings.host) : settings.port;
    const redis = spawn('redis-server', redisArguments({ ...settings, port, pidFile }), {
      stdio: ['ignore', process.stderr.fd, process.stderr.fd],
    });
    const ended = endOf(redis);
    const endWatch = watchOver(redis);
    const endRedis = () => {
      stopping = true;
      redis.kill('SIGTERM');
    };
    process.on('SIGTERM', endRedis).on('SIGINT', endRedis);
    if (settings.parent) process.stdin.resume().on('end', endRedis).on('error', endRedis);

    const ready = await Promise.race([
      untilPong({ host: settings.host, port, pid: redis.pid }),
      ended.then(() => 'ended' as const),
    ]);
    if (ready === 'ended' && settings.port === 0 && attempt < BIND_TRIES_MAX && !stopping) {
      // Somebody took the free port between its choice and Redis' bind.
      endWatch();
      process.off('SIGTERM', endRedis).off('SIGINT', endRedis);
      continue;
    }
    if (ready === 'pong') {
      process.stdout.write(`${JSON.stringify({ ready: true, port, pid: redis.pid })}\n`);
    } else if (ready === 'silent') {
      process.stderr.write(`redis-server did not answer on port ${port} within ${READY_WITHIN_MS} ms\n`);
      redis.kill('SIGKILL');
    }
    const status = await ended;
    endWatch();
    process.exit(stopping && ready !== 'silent' ? 0 : status === 0 ? 1 : status);
  }
}

function readSettings(argv: string[]): Settings {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '0' },
      data: { type: 'string' },
      host: { type: 'string', default: '127.0.0.1' },
      maxmemory: { type: 'string', default: '0' },
      parent: { type: 'boolean', default: false },
    },
  });
  const port = Number(values.port);
  if (values.data === undefined) throw new Error('--data DIR is required');
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error('--port is a number to 65535');
  return { ...values, port, data: path.resolve(values.data) };
}

function redisArguments(settings: Settings & { pidFile: string }): string[] {
  return Object.entries({
    port: String(settings.port),
    bind: settings.host,
    dir: settings.data,
    appendonly: 'yes',
    appendfsync: 'everysec',
    // A rewrite of the file forks, takes a core for seconds and slows every write meanwhile. By Redis' own 64 MB, some
    // 40,000 holds would set one off in the middle of the rush that they are. More than this, and a restart takes long:
    // 460 MB of holds were loaded in 14 s while others used the machine.
    'auto-aof-rewrite-min-size': '256mb',
    save: '',
    maxmemory: settings.maxmemory,
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    pidfile: settings.pidFile,
    'always-show-logo': 'no',
  }).flatMap(([name, value]) => [`--${name}`, value]);
}

/** Resolves to the exit status; a death by signal counts as 128 and more, as in a shell. */
async function endOf(child: ChildProcess): Promise<number> {
  return new Promise(resolve => {
    child.on('error', error => {
      process.stderr.write(`redis-server could not be started: ${error.message}\n`);
      resolve(127);
    });
    child.on('exit', (code, signal) => resolve(code ?? (signal === 'SIGKILL' ? 137 : 143)));
  });
}

/** Starts the shell that ends Redis when this process dies; returns how to end that shell instead. */
function watchOver(redis: ChildProcess): () => void {
  if (redis.pid === undefined) return () => {};
  const script = 'while read -r _; do :; done; kill -TERM "$1" 2>/dev/null';
  const watch = spawn('/bin/sh', ['-c', script, 'sh', String(redis.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // In a group of its own, so that a signal to this program's group does not take the watch first.
    detached: true,
  });
  watch.on('error', error => process.stderr.write(`no watch over redis-server: ${error.message}\n`));
  return () => {
    watch.kill('SIGKILL');
  };
}

/**
 * Two Redis processes on one append-only file would ruin it. A predecessor whose parent was killed is told
 * to end, and may need a moment.
 */
async function untilPredecessorGone(pidFile: string): Promise<void> {
  const deadlineMs = Date.now() + PREDECESSOR_WITHIN_MS;
  for (;;) {
    const pid = readPid(pidFile);
    if (pid === undefined || !isRedis(pid)) return;
    if (Date.now() > deadlineMs)
      throw new Error(`redis-server ${pid} still runs on ${path.dirname(pidFile)}`);
    await pause(POLL_MS);
  }
}

function readPid(pidFile: string): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile, 'utf8'), 10);
    return Number.isInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** Whether that process lives and, where the system lets one look, is a Redis and not a later owner of its number. */
function isRedis(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('redis-server');
  } catch {
    return process.platform !== 'linux';
  }
}

async function freePort(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

type Address = { host: string; port: number; pid: number | undefined };

async function untilPong(address: Address): Promise<'pong' | 'silent'> {
  const deadlineMs = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadlineMs) {
    if (await answersPing(address)) return 'pong';
    await pause(POLL_MS);
  }
  return 'silent';
}

/**
 * Whether our own process answers: another Redis may sit on the port while ours fails to bind, so the
 * process id is asked for as well. A Redis that is still loading answers -LOADING, which is not yet ready.
 */
function answersPing({ host, port, pid }: Address): Promise<boolean> {
  return new Promise(resolve => {
    let answer = '';
    const socket = connect({ host, port, timeout: 1_000 }, () => socket.write('PING\r\nINFO server\r\n'));
    const done = (yes: boolean) => {
      socket.destroy();
      resolve(yes);
    };
    socket.on('data', chunk => {
      answer += chunk.toString();
      if (!'+PONG'.startsWith(answer.slice(0, 5))) done(false);
      const found = /process_id:(\d+)\r/.exec(answer);
      if (found !== null) done(Number(found[1]) === pid);
    });
    socket
      .on('error', () => done(false))
      .on('timeout', () => done(false))
      .on('close', () => done(false));
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
});
