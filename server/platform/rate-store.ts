// Counts of rates in Redis, gathered: what is counted in a turn or two of the event loop goes there as one script call. In a
// rush every call counts something, and a command for each took a server longer than all else about a rate. It stands
// where rate-limiter-flexible expects a client of Redis, and is all that the library asks of one.
import type { Redis } from 'ioredis';
import { limits } from '../limits.ts';
import { gatherTurns } from './gather-turns.ts';

/** KEYS: any number of counts. ARGV: points and seconds of each. Answers with each count, and its milliseconds to live. */
const countAll = `
local out = {}
for index, key in ipairs(KEYS) do
  local points, seconds = ARGV[2 * index - 1], tonumber(ARGV[2 * index])
  local count = redis.call('INCRBY', key, points)
  local ttlMs = redis.call('PTTL', key)
  if ttlMs < 0 then
    redis.call('EXPIRE', key, seconds)
    ttlMs = 1000 * seconds
  end
  out[2 * index - 1], out[2 * index] = count, ttlMs
end
return out`;

type Counted = readonly [count: number, ttlMs: number];

interface Waiting {
  readonly key: string;
  readonly points: string;
  readonly seconds: string;
  readonly resolve: (counted: Counted) => void;
  readonly reject: (error: unknown) => void;
}

export interface RateStore {
  /** Adds points to the count of a key, which lives for so many seconds from its first one. */
  rlflxIncr(
    request: readonly [key: string, points: string, seconds: string, ...rest: string[]],
  ): Promise<Counted>;
}

/** `waits`: for a connection that is down to come back; otherwise what is to be counted is refused at once. */
export function createRateStore(redis: Redis, { waits = true } = {}): RateStore {
  redis.defineCommand('countAll', { lua: countAll });
  let waiting: Waiting[] = [];

  const send = async (batch: readonly Waiting[]) => {
    try {
      const method: unknown = Reflect.get(redis, 'countAll');
      if (typeof method !== 'function') throw new Error('ioredis did not define countAll');
      const keys = batch.map(({ key }) => key);
      const amounts = batch.flatMap(({ points, seconds }) => [points, seconds]);
      const reply: unknown = await Reflect.apply(method, redis, [keys.length, ...keys, ...amounts]);
      if (!Array.isArray(reply) || reply.length !== 2 * batch.length) {
        throw new Error('countAll answered something else than two numbers for each key');
      }
      for (const [index, { resolve }] of batch.entries()) {
        resolve([Number(reply[2 * index]), Number(reply[2 * index + 1])]);
      }
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  };
  const sendWaiting = () => {
    const all = waiting;
    waiting = [];
    for (let start = 0; start < all.length; start += limits.gatheredRatesCount) {
      void send(all.slice(start, start + limits.gatheredRatesCount));
    }
  };
  const sendInTime = gatherTurns({ count: () => waiting.length, send: sendWaiting });

  return {
    rlflxIncr([key, points, seconds]) {
      if (!waits && redis.status !== 'ready')
        return Promise.reject(new Error('the Redis of the rates is away'));
      return new Promise((resolve, reject) => {
        if (waiting.push({ key, points, seconds, resolve, reject }) === 1) sendInTime();
      });
    },
  };
}
