// Connections to Redis, and what is checked of a server before money depends on it.
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { GatheredRedis } from './gathered-redis.ts';

export type RedisRole = 'stock' | 'jobs' | 'limits' | 'events';

/**
 * A connection that fails fast: a command waits for a reconnection for about a second and is then refused, so that
 * a buyer is told `503` instead of being kept waiting. BullMQ's own connections (`jobs`) wait for ever, as it asks.
 */
export function connectRedis(options: { url: string; role: RedisRole; log: Logger }): Redis {
  const { url, role, log } = options;
  // What a crowd sends in one turn of the event loop goes out as one write. Rates are gathered before they come here.
  const Connection = role === 'stock' ? GatheredRedis : Redis;
  const redis = new Connection(url, {
    connectionName: `doorbuster-${role}`,
    maxRetriesPerRequest: role === 'jobs' ? null : 3,
    // Waiting commands are refused with every fourth attempt: so often that this is a second, however long it is away.
    retryStrategy: attempt => Math.min(50 * 2 ** Math.min(attempt, 6), role === 'jobs' ? 1_000 : 250),
    connectTimeout: 5_000,
    ...(role === 'jobs' ? {} : { commandTimeout: 5_000 }),
  });
  let down = false;
  redis.on('error', error => {
    if (!down) log.warn({ role, error: error.message }, 'redis: connection lost');
    down = true;
  });
  redis.on('ready', () => {
    if (down) log.info({ role }, 'redis: connection is back');
    down = false;
  });
  return redis;
}

/** Warns, with what is at risk, about settings of a Redis under which stock or jobs could vanish. */
export async function checkRedis(redis: Redis, role: RedisRole, log: Logger): Promise<void> {
  const info = await redis.info();
  const field = (name: string) => info.match(new RegExp(`^${name}:(.*)$`, 'm'))?.[1]?.trim();
  const version = field('redis_version') ?? 'unknown';
  if (Number.parseInt(version, 10) < 7) {
    throw new Error(`Redis 7 or newer is needed for ${role}; this one is ${version}`);
  }
  const policy = field('maxmemory_policy');
  if (policy !== 'noeviction') {
    log.warn(
      { role, policy },
      'redis: maxmemory-policy is not noeviction: keys of a running drop may be evicted',
    );
  }
  if (field('aof_enabled') !== '1') {
    log.warn({ role }, 'redis: AOF is off: a restart of Redis loses every queue place and every open hold');
  }
}
