// `npm start` as a person meets it: through scripts/run.js, with real processes, ended by Ctrl-C or killed.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAlive } from '../../scripts/supervisor/process-identity.ts';
import { type Runtime, readRuntime } from '../../scripts/supervisor/runtime.ts';

const root = path.resolve(import.meta.dirname, '../..');
const START_WITHIN_MS = 60_000;
const END_WITHIN_MS = 40_000;
const SERVICES = ['REDIS_URL', 'REDIS_JOBS_URL', 'MONGODB_URI', 'TYPESENSE_URL', 'STRIPE_SECRET_KEY'];

let dataDir: string;
// Every process that a start brings up inherits this from it, and so can be found again.
let mark: string;
let started: ChildProcess[];

beforeEach(() => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-start-'));
  mark = `DOORBUSTER_TEST_MARK=${randomUUID()}`;
  started = [];
});

afterEach(async () => {
  for (const child of started) killGroup(child, 'SIGKILL');
  await untilNothingLeft();
  rmSync(dataDir, { recursive: true, force: true });
});

function start(...args: string[]) {
  const [name = '', value = ''] = mark.split('=');
  const child = spawn(
    'node',
    ['scripts/run.js', 'scripts/start.ts', '--data', dataDir, '--no-demo', '--port', '0', ...args],
    {
      cwd: root,
      env: { ...process.env, ...Object.fromEntries(SERVICES.map(each => [each, ''])), [name]: value },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A group of its own, as a shell at a terminal makes one: Ctrl-C is a signal to the whole of it.
      detached: true,
    },
  );
  started.push(child);
  const run = { child, output: '', status: once(child, 'exit').then(([status]) => Number(status)) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      run.output += chunk.toString();
    });
  }
  return run;
}

async function untilOpen(run: ReturnType<typeof start>): Promise<Runtime> {
  await vi.waitFor(
    () => {
      if (run.child.exitCode !== null) throw new Error(`it ended: ${run.output}`);
      expect(run.output).toMatch(/is open at http:\/\/localhost:\d+/);
    },
    { timeout: START_WITHIN_MS, interval: 50 },
  );
  const runtime = readRuntime(dataDir);
  if (runtime === undefined) throw new Error('no runtime.json');
  return runtime;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-(child.pid ?? 0), signal);
  } catch {
    // It has ended.
  }
}

/** What still runs of all that the test started; on systems without /proc nothing can be found. */
function leftovers(): string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .flatMap(pid => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark)) return [];
        return [readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')];
      } catch {
        return [];
      }
    });
}

async function untilNothingLeft(): Promise<void> {
  await vi.waitFor(() => expect(leftovers()).toEqual([]), { timeout: END_WITHIN_MS, interval: 50 });
}

async function expectNothingLeftAfterKilling(pid: number | undefined): Promise<void> {
  if (pid === undefined) throw new Error('there is nothing to kill');
  const processes = readRuntime(dataDir)?.processes ?? [];
  expect(processes.length).toBeGreaterThan(0);
  process.kill(pid, 'SIGKILL');
  await untilNothingLeft();
  // A process that is ending shows no environment any more a moment before it is gone.
  await vi.waitFor(() => {
    for (const each of processes) expect(isAlive({ pid: each.pid })).toBe(false);
  });
  expect(readRuntime(dataDir)).toBeUndefined();
}

describe('npm start', () => {
  it('opens, says where, serves, refuses a second one on the same data, and ends cleanly on Ctrl-C', {
    timeout: 2 * START_WITHIN_MS + END_WITHIN_MS,
  }, async () => {
    const run = start();
    const runtime = await untilOpen(run);
    expect((await fetch(`${runtime.url}/health/ready`)).status).toBe(200);
    expect(run.output).toContain('redis, redis-jobs, mongo, typesense, stripe');
    const keyFile = path.join(dataDir, 'admin-key');
    expect(run.output).toContain(keyFile);
    expect(run.output).not.toContain(readFileSync(keyFile, 'utf8').trim());
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(runtime.processes.map(each => each.name)).toEqual(
      expect.arrayContaining(['redis', 'redis-jobs', 'mongo', 'typesense', 'stripe', 'server', 'worker']),
    );
    expect(leftovers().length).toBeGreaterThan(runtime.processes.length);

    const second = start();
    expect(await second.status).toBe(1);
    expect(second.output).toContain(`already runs on ${dataDir}`);
    expect(second.output).toContain(runtime.url);

    killGroup(run.child, 'SIGINT');
    expect(await run.status).toBe(0);
    expect(run.output).toContain('Stopped.');
    await untilNothingLeft();
    expect(readRuntime(dataDir)).toBeUndefined();
    expect(readdirSync(dataDir)).not.toContain('runtime.json');
  });

  it('brings back a server that was killed, says so, and leaves no process behind when it is killed outright itself', {
    timeout: 2 * START_WITHIN_MS + END_WITHIN_MS,
  }, async () => {
    const run = start();
    const before = await untilOpen(run);
    const server = before.processes.find(each => each.name === 'server');
    process.kill(server?.pid ?? 0, 'SIGKILL');
    await vi.waitFor(() => expect(run.output).toContain('server: runs again'), {
      timeout: START_WITHIN_MS,
      interval: 50,
    });
    expect((await fetch(`${before.url}/health/live`)).status).toBe(200);
    expect(run.output).toContain('server: it was ended by SIGKILL; starting it again');

    await expectNothingLeftAfterKilling(readRuntime(dataDir)?.supervisor.pid);
  });

  it('leaves no process behind when the set-up around it is killed outright, and starts again on the same data', {
    timeout: 2 * START_WITHIN_MS + END_WITHIN_MS,
  }, async () => {
    const run = start();
    await untilOpen(run);
    await expectNothingLeftAfterKilling(run.child.pid);

    const again = start();
    await untilOpen(again);
    again.child.kill('SIGTERM');
    expect(await again.status).toBe(0);
  });

  it('ends on Ctrl-C while it is still starting', { timeout: END_WITHIN_MS }, async () => {
    const run = start();
    await vi.waitFor(() => expect(run.output).toContain('Starting'), { timeout: 20_000, interval: 5 });
    killGroup(run.child, 'SIGINT');
    expect(await run.status).toBe(0);
    await untilNothingLeft();
  });

  it('names PORT when the port is taken, before it starts anything', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const run = start('--port', String(port));
    expect(await run.status).toBe(1);
    expect(run.output).toContain(`Port ${port} is in use`);
    expect(run.output).toContain('PORT=');
    expect(readdirSync(dataDir)).not.toContain('logs');
    server.close();
  });

  it('says what it takes when asked, and when it is asked for something else', async () => {
    const help = start('--help');
    expect(await help.status).toBe(0);
    expect(help.output).toContain('--crowd N');
    for (const wrong of [['--nonsense'], ['--crowd', 'many'], ['--port', '70000']]) {
      const run = start(...wrong);
      expect(await run.status).toBe(1);
      expect(run.output).toContain(wrong[0]);
      expect(run.output).not.toContain('    at ');
    }
  });
});
