// What the engine needs of its Redis. With REDIS_URL set, the same is asked of that one, as far as it can be
// asked without killing it.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isAlive } from '../../scripts/supervisor/process-identity.ts';
import { freePort } from '../../scripts/supervisor/ports.ts';
import { type EmbeddedRedis, startEmbeddedRedis } from '../support/embedded-redis.ts';

const program = path.resolve(import.meta.dirname, '../../server/embedded/redis/main.ts');
const named = process.env['REDIS_URL'];
const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

async function embedded(options: { maxmemory?: string } = {}): Promise<EmbeddedRedis> {
  const redis = await startEmbeddedRedis(options);
  cleanUps.push(() => redis.dispose());
  return redis;
}

function clientOf(url: string): Redis {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: null });
  // Tests kill what it is connected to; what matters is what its calls answer.
  client.on('error', () => {});
  cleanUps.push(() => client.disconnect());
  return client;
}

async function setting(client: Redis, name: string): Promise<string | undefined> {
  const answer: unknown = await client.config('GET', name);
  return Array.isArray(answer) ? String(answer[1]) : undefined;
}

describe.each([
  { name: 'the embedded Redis', url: undefined },
  ...(named === undefined || named === '' ? [] : [{ name: 'the Redis of REDIS_URL', url: named }]),
])('$name', ({ url }) => {
  const open = async () => clientOf(url ?? (await embedded()).url);

  it('is version 7 or newer', async () => {
    const client = await open();
    const version = /redis_version:(\d+)/.exec(await client.info('server'))?.[1];
    expect(Number(version)).toBeGreaterThanOrEqual(7);
  });

  it('keeps an append-only file and never evicts', async () => {
    const client = await open();
    expect(await setting(client, 'appendonly')).toBe('yes');
    expect(await setting(client, 'maxmemory-policy')).toBe('noeviction');
  });

  it('runs scripts with flags, which may ask for its run id', async () => {
    const client = await open();
    const script = "#!lua flags=allow-oom\nreturn redis.call('INFO', 'server')";
    expect(await client.eval(script, 0)).toContain('run_id:');
  });
});

describe('the embedded Redis as a process', () => {
  it('has what was written when it comes back after a kill -9, on the same port', async () => {
    const redis = await embedded();
    const client = clientOf(redis.url);
    await client.set('kept', 'yes');
    const runId = /run_id:(\w+)/.exec(await client.info('server'))?.[1];
    redis.kill('SIGKILL');
    await redis.start();

    const again = clientOf(redis.url);
    expect(await again.get('kept')).toBe('yes');
    expect(/run_id:(\w+)/.exec(await again.info('server'))?.[1]).not.toBe(runId);
  });

  it('has what was written when it comes back after an orderly stop', async () => {
    const redis = await embedded();
    await clientOf(redis.url).set('kept', 'yes');
    await redis.stop();
    await redis.start();
    expect(await clientOf(redis.url).get('kept')).toBe('yes');
  });

  it('answers OOM instead of forgetting keys when its memory is full', async () => {
    const redis = await embedded({ maxmemory: '3mb' });
    const client = clientOf(redis.url);
    const write = async () => {
      for (let index = 0; index < 1_000; index += 1) await client.set(`key-${index}`, 'x'.repeat(10_000));
    };
    await expect(write()).rejects.toThrow(/^OOM/);
    expect(await client.exists('key-0')).toBe(1);
    const oomScript = "#!lua\nreturn redis.call('SET', KEYS[1], 'x')";
    await expect(client.eval(oomScript, 1, 'more')).rejects.toThrow(/OOM/);
    const freeingScript = "#!lua flags=allow-oom\nreturn redis.call('DEL', KEYS[1])";
    expect(await client.eval(freeingScript, 1, 'key-0')).toBe(1);
  });

  it('runs twice side by side, with separate data, and on neither of the two on port 6379', async () => {
    const [first, second] = await Promise.all([embedded(), embedded()]);
    await clientOf(first.url).set('mine', 'first');
    expect(await clientOf(second.url).get('mine')).toBeNull();
    expect(first.pid()).not.toBe(second.pid());
    expect([first.port, second.port]).not.toContain(6379);
    expect(await setting(clientOf(first.url), 'bind')).toBe('127.0.0.1');
  });

  it('leaves no redis-server behind when the program around it is killed', async () => {
    const { wrapper, redisPid } = await spawnWrapper();
    wrapper.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive({ pid: redisPid })).toBe(false), { timeout: 10_000, interval: 20 });
  });

  it('ends when the pipe from its parent closes', async () => {
    const { wrapper, redisPid } = await spawnWrapper();
    const ended = once(wrapper, 'exit');
    wrapper.stdin.end();
    expect(await ended).toEqual([0, null]);
    expect(isAlive({ pid: redisPid })).toBe(false);
  });

  it('ends with a failure when redis-server dies under it', async () => {
    const { wrapper, redisPid } = await spawnWrapper();
    const ended = once(wrapper, 'exit');
    process.kill(redisPid, 'SIGKILL');
    expect(await ended).toEqual([137, null]);
  });

  it('says so and ends when its port is taken', async () => {
    const redis = await embedded();
    const { status, stderr } = spawnSync(
      process.execPath,
      [program, '--port', String(redis.port), '--data', path.join(redis.dataDir, 'second')],
      { encoding: 'utf8', timeout: 20_000 },
    );
    expect(status).toBe(1);
    expect(stderr).toContain('Address already in use');
    expect(await clientOf(redis.url).ping()).toBe('PONG');
  });
});

describe('the set-up', () => {
  it('starts nothing on port 6379', async () => {
    const before = await answersOn(6379);
    await embedded();
    expect(await answersOn(6379)).toBe(before);
  });
});

async function spawnWrapper() {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'doorbuster-redis-'));
  const port = await freePort();
  const wrapper = spawn(process.execPath, [program, '--port', String(port), '--data', dataDir, '--parent'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const [line] = await once(wrapper.stdout, 'data');
  const redisPid: unknown = JSON.parse(String(line)).pid;
  if (typeof redisPid !== 'number') throw new Error(`no process id in ${String(line)}`);
  cleanUps.push(async () => {
    wrapper.kill('SIGKILL');
    await vi.waitFor(() => expect(isAlive({ pid: redisPid })).toBe(false), { timeout: 10_000, interval: 20 });
    rmSync(dataDir, { recursive: true, force: true });
  });
  return { wrapper, redisPid };
}

function answersOn(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
