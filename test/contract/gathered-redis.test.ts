// The connection on which the commands of one turn go out as one write: what it promises beyond ioredis, and what it
// must not take away. On a real Redis, which is killed under it.
import { Command, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { limits } from '../../server/limits.ts';
import { GatheredRedis } from '../../server/platform/gathered-redis.ts';
import { createLuaRunner, luaScript } from '../../server/platform/lua-scripts.ts';
import { EncodedCommand, KnownScript, ScriptCommand } from '../../server/platform/script-command.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../support/embedded-redis.ts';

let server: EmbeddedRedis;
const cleanUps: (() => void)[] = [];

beforeAll(async () => {
  server = await startEmbeddedRedis();
});
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) cleanUp();
});
afterAll(() => server.dispose());

function quiet<T extends Redis>(redis: T): T {
  // Tests kill what it is connected to; what matters is what its calls answer.
  redis.on('error', () => {});
  cleanUps.push(() => redis.disconnect());
  return redis;
}

async function gathered(options: { maxRetriesPerRequest?: number; retryStrategy?: () => number } = {}) {
  const redis = quiet(new GatheredRedis(server.url, options));
  await redis.flushall();
  return redis;
}

const look = luaScript({ name: 'epoch-look', keys: ['drop'], argv: [], rest: false });

/** 0, 1, 2 … */
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a gathered connection', () => {
  it('holds back what is sent in one turn, until it is enough to send or the turn is over', async () => {
    const redis = await gathered();
    const fewer = numbers(limits.gatheredCommandsCount - 1).map(() => redis.incr('count'));
    expect(redis.stream.writableCorked).toBe(1);
    const last = redis.incr('count');
    expect(redis.stream.writableCorked).toBe(0);
    const more = redis.incr('count');
    expect(redis.stream.writableCorked).toBe(1);
    const counts = await Promise.all([...fewer, last, more]);
    expect(redis.stream.writableCorked).toBe(0);
    expect(counts).toEqual(numbers(limits.gatheredCommandsCount + 1).map(index => index + 1));
  });

  it('gives each answer as it arrives, and sends on while others wait for theirs', async () => {
    const redis = await gathered();
    const early = redis.ping();
    const blocked = redis.blpop('list', 0);
    expect(await early).toBe('PONG');
    const later = redis.get('list');
    await quiet(new Redis(server.url)).rpush('list', 'first');
    expect(await blocked).toEqual(['list', 'first']);
    expect(await later).toBeNull();
  });

  it('would give it with the last of its turn, if ioredis gathered by itself: the control', async () => {
    const redis = quiet(new Redis(server.url, { enableAutoPipelining: true }));
    const other = quiet(new Redis(server.url));
    const order: string[] = [];
    const early = redis.ping().then(() => order.push('early'));
    const blocked = redis.blpop('list', 0).then(() => order.push('blocked'));
    await vi.waitFor(async () => expect(await other.client('LIST')).toMatch(/ flags=b /));
    // Redis has answered the first before it came to the second.
    expect(order).toEqual([]);
    await other.rpush('list', 'first');
    await Promise.all([early, blocked]);
    expect(order).toEqual(['early', 'blocked']);
  });

  it('answers in the order of the commands, whatever lies between them in one turn', async () => {
    const redis = await gathered();
    const answers = await Promise.all([
      redis.set('a', '1'),
      redis.get('a'),
      redis.multi().incr('a').incr('a').exec(),
      redis.get('a'),
      redis.pipeline().incr('a').get('a').exec(),
      redis.getBuffer('a'),
      redis.get('no such key'),
    ]);
    expect(answers).toEqual([
      'OK',
      '1',
      [
        [null, 2],
        [null, 3],
      ],
      '3',
      [
        [null, 4],
        [null, '4'],
      ],
      Buffer.from('4'),
      null,
    ]);
  });

  it('fails the one command that is wrong, and no other of its turn', async () => {
    const redis = await gathered();
    await redis.set('text', 'x');
    const results = await Promise.allSettled([redis.get('text'), redis.incr('text'), redis.get('text')]);
    expect(results.map(result => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  });

  it('sends again in order what was in flight or held back when Redis was killed, and loses none of it', async () => {
    const redis = await gathered();
    server.kill('SIGSTOP');
    const sent = numbers(500).map(index => redis.rpush('list', index));
    // A turn later those are with Redis, which does not move; these are still held back here.
    await new Promise(resolve => void setImmediate(resolve));
    sent.push(...numbers(5).map(index => redis.rpush('list', 500 + index)));
    server.kill('SIGKILL');
    await server.start();
    const lengths = await Promise.all(sent);
    expect(lengths).toEqual(numbers(505).map(index => index + 1));
    expect(await redis.lrange('list', 0, -1)).toEqual(numbers(505).map(String));
  });

  it('refuses what is in flight when Redis does not come back', async () => {
    const redis = await gathered({ maxRetriesPerRequest: 1, retryStrategy: () => 10 });
    server.kill('SIGSTOP');
    const sent = Promise.allSettled(numbers(40).map(() => redis.incr('count')));
    await new Promise(resolve => void setImmediate(resolve));
    server.kill('SIGKILL');
    expect((await sent).map(({ status }) => status)).toEqual(numbers(40).map(() => 'rejected'));
    await server.start();
    expect(await redis.get('count')).toBeNull();
  });

  it('gives no late answer to another command', async () => {
    const redis = await gathered();
    await redis.set('late', 'x');
    redis.options.commandTimeout = 50;
    server.kill('SIGSTOP');
    const late = await Promise.allSettled(numbers(20).map(() => redis.get('late')));
    expect(late.map(({ status }) => status)).toEqual(numbers(20).map(() => 'rejected'));
    server.kill('SIGCONT');
    redis.options.commandTimeout = 5_000;
    expect(await redis.ping()).toBe('PONG');
  });

  it('refuses a script that is not answered in time, and gives its late answer to nobody', async () => {
    const redis = await gathered();
    const run = createLuaRunner(redis, { clock: 'test' });
    const ask = () => run(look, { drop: 'door:{none}:drop' }, {});
    const answer = await ask();
    redis.options.commandTimeout = 50;
    server.kill('SIGSTOP');
    const late = await Promise.allSettled(numbers(20).map(ask));
    expect(new Set(late.map(result => String(result.status === 'rejected' && result.reason)))).toEqual(
      new Set(['Error: Command timed out']),
    );
    server.kill('SIGCONT');
    redis.options.commandTimeout = 5_000;
    expect(await redis.ping()).toBe('PONG');
    expect(await ask()).toEqual(answer);
  });

  it('keeps the time of a script that is sent again, from when it was sent first', async () => {
    const redis = await gathered({ retryStrategy: () => 20 });
    redis.options.commandTimeout = 300;
    const asked = redis.sendCommand(new EncodedCommand('blpop', ['no list', '0']));
    await quiet(new Redis(server.url)).call('CLIENT', 'KILL', 'TYPE', 'normal');
    await expect(asked).rejects.toThrow('Command timed out');
  });

  it('writes the call of a script as ioredis does, byte for byte', () => {
    const script = new KnownScript('return KEYS', 1);
    const lists = [
      ['key'],
      ['key', ''],
      ['key', Buffer.alloc(0), 'after', Buffer.from([0, 255, 13, 10])],
      [
        Buffer.from('key'),
        'é',
        '\r\n$3',
        'a paragraph of 漢字 🎟',
        Buffer.from('é'),
        Buffer.from('two in a row'),
      ],
      ['key', 'lone surrogate \ud800', 'x'.repeat(100_000)],
    ];
    for (const list of lists) {
      const plain = new Command('evalsha', [script.sha, '1', ...list]).toWritable({});
      expect(new ScriptCommand(script, list).toWritable()).toEqual(Buffer.from(plain));
    }
  });

  it('runs a script for a whole crowd although Redis has forgotten it', async () => {
    const redis = await gathered();
    const run = createLuaRunner(redis, { clock: 'test' });
    const crowd = () => Promise.all(numbers(100).map(() => run(look, { drop: 'door:{none}:drop' }, {})));
    const first = await crowd();
    await redis.script('FLUSH');
    expect(await crowd()).toEqual(first);
    expect(new Set(first.map(reply => JSON.stringify(reply))).size).toBe(1);
  });
});
