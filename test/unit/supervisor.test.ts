// The supervisor's parts, with children of a few lines: what it does when they die, hang or never come up.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogFile } from '../../scripts/supervisor/log-file.ts';
import {
  ManagedProcess,
  type ProcessEvent,
  type ProcessPlan,
  type RestartPolicy,
} from '../../scripts/supervisor/managed-process.ts';
import { assertPortFree, freePort } from '../../scripts/supervisor/ports.ts';
import { identityOf, isAlive } from '../../scripts/supervisor/process-identity.ts';
import { claimRuntime, readRuntime, removeRuntime, writeRuntime } from '../../scripts/supervisor/runtime.ts';
import { loadSecrets } from '../../scripts/supervisor/secrets.ts';
import { planServices } from '../../scripts/supervisor/services.ts';
import { terminalLine } from '../../scripts/supervisor/terminal-log.ts';

const supervisor = path.resolve(import.meta.dirname, '../../scripts/supervisor');
const QUICK: Partial<RestartPolicy> = { pauseMsFirst: 1, pauseMsMax: 4, failuresMax: 4 };

let folder: string;
let managed: ManagedProcess[];

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'doorbuster-supervisor-'));
  managed = [];
});

afterEach(async () => {
  await Promise.all(managed.map(each => each.stop({ now: true })));
  rmSync(folder, { recursive: true, force: true });
});

/** A child that listens, prints its ready line, and ends with its parent; `body` is what else it does. */
function childScript(body: string): string {
  const file = path.join(folder, `child-${readdirSync(folder).length}.mjs`);
  writeFileSync(
    file,
    `import { createServer } from 'node:net';
     import { existsSync, writeFileSync } from 'node:fs';
     const at = process.argv.indexOf('--port');
     process.stdin.resume().on('end', () => process.exit(0));
     const server = createServer();
     const listen = () => server.listen(at < 0 ? 0 : Number(process.argv[at + 1]), '127.0.0.1', () =>
       console.log(JSON.stringify({ ready: true, port: server.address().port })));
     ${body}`,
  );
  return file;
}

function manage(body: string, more: Partial<ProcessPlan> = {}, policy: Partial<RestartPolicy> = QUICK) {
  const events: ProcessEvent[] = [];
  const plan = { name: 'child', env: process.env, port: 0, stopWithinMs: 5_000, ...more };
  const child = new ManagedProcess(
    { argv: [childScript(body)], ...plan },
    event => {
      if (event.kind !== 'line') events.push(event);
    },
    policy,
  );
  managed.push(child);
  return { child, events };
}

describe('a managed process', () => {
  it('is started again on the same port after a kill -9', async () => {
    const { child, events } = manage('listen();');
    await child.start();
    const { pid, port } = child;
    child.kill('SIGKILL');
    expect(child.pid).toBeUndefined();
    await child.untilReady();
    expect(child.pid).not.toBe(pid);
    expect(child.port).toBe(port);
    expect(port).toBeGreaterThan(0);
    await vi.waitFor(() => expect(events.map(each => each.kind)).toEqual(['died', 'restarted']));
  });

  it('is started again after growing pauses, and given up after as many quick deaths as are allowed', async () => {
    const mark = path.join(folder, 'mark');
    const body = `if (existsSync('${mark}')) { console.error('cannot go on'); process.exit(3); }
      writeFileSync('${mark}', ''); listen(); server.on('listening', () => process.exit(3));`;
    const { child, events } = manage(body);
    await child.start();
    await vi.waitFor(() => expect(events.at(-1)?.kind).toBe('gave-up'), { timeout: 20_000 });
    const pauses = events.map(each => (each.kind === 'died' ? each.restartInMs : each.kind));
    expect(pauses).toEqual([1, 2, 4, 'gave-up']);
    expect(events.at(-1)).toMatchObject({
      cause: 'it ended with status 3',
      lastLines: expect.arrayContaining(['cannot go on']),
    });
    await expect(child.untilReady()).rejects.toThrow('did not start');
  });

  it('may be killed on purpose more often than it may fail', async () => {
    const { child, events } = manage('listen();');
    await child.start();
    for (let round = 0; round < 6; round += 1) {
      child.kill('SIGKILL');
      await child.untilReady();
    }
    expect(events.filter(each => each.kind === 'gave-up')).toEqual([]);
  });

  it('stays down after a kill -9 when restarts are off, until it is started', async () => {
    const { child, events } = manage('listen();', {}, { restart: false });
    await child.start();
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(events.map(each => each.kind)).toEqual(['died']));
    expect(child.pid).toBeUndefined();
    await child.restart();
    expect(child.pid).toBeGreaterThan(0);
  });

  it('fails its first start with what the child said last', async () => {
    const { child } = manage("console.error('no such setting'); process.exit(2);");
    await expect(child.start()).rejects.toMatchObject({
      message: 'child did not start: it ended with status 2',
      lastLines: ['no such setting'],
    });
  });

  it('is not started again once it was told to stop, even in the pause before a restart', async () => {
    const policy = { ...QUICK, pauseMsFirst: 60_000, pauseMsMax: 60_000 };
    const { child, events } = manage('listen();', {}, policy);
    await child.start();
    child.kill('SIGKILL');
    await vi.waitFor(() => expect(events.at(-1)?.kind).toBe('died'));
    await child.stop();
    expect(child.pid).toBeUndefined();
    expect(events.map(each => each.kind)).toEqual(['died']);
  });

  it('is killed when it does not stop within its time', async () => {
    const { child } = manage("process.on('SIGTERM', () => {}); listen();", { stopWithinMs: 50 });
    await child.start();
    const { pid = 0 } = child;
    await child.stop();
    expect(isAlive({ pid })).toBe(false);
  });

  it('is killed even while it is stopped by SIGSTOP', async () => {
    const { child } = manage('listen();', { stopWithinMs: 50 });
    await child.start();
    const { pid = 0 } = child;
    child.kill('SIGSTOP');
    await child.stop();
    expect(isAlive({ pid })).toBe(false);
  });

  it('ends by itself when its supervisor is killed', async () => {
    const file = path.join(folder, 'supervisor.ts');
    writeFileSync(
      file,
      `import { ManagedProcess } from ${JSON.stringify(path.join(supervisor, 'managed-process.ts'))};
       const plan = { name: 'child', argv: [${JSON.stringify(childScript('listen();'))}], env: process.env, port: 0, stopWithinMs: 1000 };
       const child = new ManagedProcess(plan, () => {});
       await child.start();
       console.log(child.pid);`,
    );
    const parent = spawn(process.execPath, [file], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(parent.stdout, 'data');
    const child = identityOf(Number(String(line)));
    expect(isAlive(child)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive(child)).toBe(false), { timeout: 10_000 });
  });
});

describe('runtime.json', () => {
  const running = {
    state: 'running',
    url: 'http://127.0.0.1:1',
    urls: [],
    env: { A: 'b' },
    processes: [],
  } as const;

  it('is read while its installation runs, by its owner alone', () => {
    expect(readRuntime(folder)).toBeUndefined();
    expect(claimRuntime(folder)).toEqual({ kind: 'claimed' });
    writeRuntime(folder, { ...running, urls: [], processes: [] });
    expect(readRuntime(folder)).toMatchObject({ url: running.url, env: { A: 'b' } });
    expect(statSync(path.join(folder, 'runtime.json')).mode & 0o777).toBe(0o600);
    removeRuntime(folder);
    expect(readRuntime(folder)).toBeUndefined();
    expect(readdirSync(folder)).toEqual([]);
  });

  it('refuses a second installation on the same folder', () => {
    claimRuntime(folder);
    expect(claimRuntime(folder)).toMatchObject({ kind: 'taken', by: { supervisor: { pid: process.pid } } });
  });

  it('is replaced when the process that wrote it is gone, or its number belongs to another one now', () => {
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    for (const supervisorOf of [{ pid }, { pid: process.pid, startedAt: '1' }]) {
      const stale = { supervisor: supervisorOf, ...running };
      writeFileSync(path.join(folder, 'runtime.json'), JSON.stringify(stale));
      expect(readRuntime(folder)).toBeUndefined();
      expect(claimRuntime(folder)).toEqual({ kind: 'claimed' });
      removeRuntime(folder);
    }
  });

  it('is replaced when it cannot be read', () => {
    writeFileSync(path.join(folder, 'runtime.json'), '{"half":');
    expect(claimRuntime(folder)).toEqual({ kind: 'claimed' });
  });
});

describe('the secrets', () => {
  it('are made once, kept, and readable by their owner alone', () => {
    const data = path.join(folder, 'data');
    const first = loadSecrets(data);
    expect(loadSecrets(data)).toEqual(first);
    for (const file of ['admin-key', 'secrets.json']) {
      expect(statSync(path.join(data, file)).mode & 0o777).toBe(0o600);
    }
    expect(new Set(Object.values(first)).size).toBe(Object.values(first).length);
    expect(loadSecrets(path.join(folder, 'other')).adminKey).not.toBe(first.adminKey);
  });

  it('say what to do when they cannot be read', () => {
    writeFileSync(path.join(folder, 'secrets.json'), '{}');
    expect(() => loadSecrets(folder)).toThrow(/Delete those two files/);
  });
});

describe('the choice of services', () => {
  const plan = (env: NodeJS.ProcessEnv) =>
    planServices({
      root: '/project',
      dataDir: '/data',
      env,
      secrets: loadSecrets(folder),
      webhookUrl: 'http://127.0.0.1:3000/webhooks/stripe',
    });

  it('embeds all that the environment does not name', () => {
    const { embedded, remote } = plan({ REDIS_URL: '' });
    expect(embedded.map(each => each.name)).toEqual(['redis', 'redis-jobs', 'mongo', 'typesense', 'stripe']);
    expect(remote).toEqual([]);
  });

  it('hands on what the environment names, and has no API base for the real Stripe', () => {
    const env = {
      REDIS_URL: 'redis://elsewhere',
      STRIPE_SECRET_KEY: 'sk_live',
      MONGODB_URI: 'mongodb://elsewhere',
    };
    const { embedded, remote, given } = plan(env);
    expect(embedded.map(each => each.name)).toEqual(['redis-jobs', 'typesense']);
    expect(remote).toEqual(['Redis', 'MongoDB', 'Stripe']);
    expect(given).toEqual(env);
  });

  it('refuses a Typesense without its key', () => {
    expect(() => plan({ TYPESENSE_URL: 'http://elsewhere' })).toThrow(/TYPESENSE_API_KEY/);
  });
});

describe('ports and logs', () => {
  it('names PORT where the port is taken', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(assertPortFree(port, '127.0.0.1')).rejects.toThrow(
      new RegExp(`Port ${port} is in use.*PORT=`),
    );
    server.close();
    await once(server, 'close');
    await expect(assertPortFree(port, '127.0.0.1')).resolves.toBeUndefined();
  });

  it('draws a free port that no connection of the system is given meanwhile', async () => {
    const drawn = await Promise.all(Array.from({ length: 20 }, () => freePort()));
    expect(new Set(drawn).size).toBeGreaterThan(15);
    const rangeFile = '/proc/sys/net/ipv4/ip_local_port_range';
    const lowest = existsSync(rangeFile) ? Number.parseInt(readFileSync(rangeFile, 'utf8'), 10) : 49_152;
    expect(drawn.filter(port => port >= lowest || port < 1_024)).toEqual([]);
    for (const port of drawn) await assertPortFree(port, '127.0.0.1');
  });

  it('bounds a log file, and keeps the one of the run before', () => {
    const first = new LogFile(folder, 'child', 100);
    first.write('from the run before');
    first.close();
    const second = new LogFile(folder, 'child', 100);
    expect(readFileSync(path.join(folder, 'child.1.log'), 'utf8')).toBe('from the run before\n');
    for (let index = 0; index < 50; index += 1) second.write(`line ${index}`);
    second.close();
    expect(readdirSync(folder).toSorted()).toEqual(['child.1.log', 'child.log']);
    for (const file of readdirSync(folder)) expect(statSync(path.join(folder, file)).size).toBeLessThan(120);
    expect(readFileSync(second.path, 'utf8')).toContain('line 49');
  });

  it('shows warnings and errors on the terminal as one line each, and the rest only when asked', () => {
    const line = (entry: object) => ({ kind: 'line', name: 'server', line: JSON.stringify(entry) }) as const;
    const shown = (event: ProcessEvent) => terminalLine(event, { verbose: false });
    expect(shown(line({ level: 30, msg: 'fine' }))).toBeUndefined();
    expect(shown({ kind: 'line', name: 'redis', line: '1:M # Warning: overcommit' })).toBeUndefined();
    expect(shown(line({ level: 40, msg: 'slow' }))).toBe('server: warning: slow');
    expect(shown(line({ level: 50, msg: 'lost', err: { message: 'ECONNREFUSED' } }))).toBe(
      'server: error: lost: ECONNREFUSED',
    );
    expect(terminalLine(line({ level: 30, msg: 'fine' }), { verbose: true })).toContain('fine');
  });
});
