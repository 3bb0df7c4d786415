// Books each request to Stripe before it is made, so that Stripe's limits are kept to and not run into. All processes
// book in one Redis (that of the rate limits); while it is away, each process keeps to the rates by itself, since a
// payment must not wait for a counter, and what Stripe then refuses with 429 is put off like everything else.
import type { Redis } from 'ioredis';
import { limits } from '../limits.ts';
import { stripeRateKey } from '../platform/keys.ts';
import {
  book,
  bucketsOf,
  type Booking,
  type BucketsOf,
  type StripeOperation,
  type StripeRates,
} from './stripe-rates.rules.ts';

export interface StripeBudget {
  /** Books a request, or says when to ask again. Never throws. */
  book(operation: StripeOperation | 'other'): Promise<Booking>;
}

/**
 * KEYS: the buckets, those that are all booked first. ARGV: the longest wait in ms, how many are all booked, then
 * interval and slack of each in ms. Answers with the time, the wait, and 1 where it was booked.
 */
const bookScript = `
local time = redis.call('TIME')
local nowMs = time[1] * 1000 + time[2] / 1000
local waitMaxMs, eachCount = tonumber(ARGV[1]), tonumber(ARGV[2])
local chosen, best, waitMs = {}, nil, 0
for index, key in ipairs(KEYS) do
  local intervalMs, slackMs = tonumber(ARGV[1 + 2 * index]), tonumber(ARGV[2 + 2 * index])
  local due = math.max(tonumber(redis.call('GET', key) or '0'), nowMs)
  local look = { key = key, due = due + intervalMs, wait = math.max(0, due - slackMs - nowMs) }
  if index <= eachCount then
    chosen[#chosen + 1] = look
  elseif best == nil or look.wait < best.wait then
    best = look
  end
end
if best then chosen[#chosen + 1] = best end
for _, look in ipairs(chosen) do waitMs = math.max(waitMs, look.wait) end
if waitMs > waitMaxMs then return { string.format('%.3f', nowMs), string.format('%.3f', waitMs), '0' } end
for _, look in ipairs(chosen) do
  redis.call('SET', look.key, string.format('%.3f', look.due), 'PX', math.ceil(look.due - nowMs) + 1000)
end
return { string.format('%.3f', nowMs), string.format('%.3f', waitMs), '1' }`;

export function createStripeBudget(deps: {
  redis: Redis;
  rates: StripeRates;
  /** How long a request may wait for its turn. */
  waitMaxMs?: number;
}): StripeBudget {
  const { redis, rates, waitMaxMs = limits.stripeTurnWaitMs } = deps;
  redis.defineCommand('bookStripe', { lua: bookScript });
  const own = new Map<string, number>();

  const bookTogether = async ({ each, either }: BucketsOf): Promise<Booking> => {
    const buckets = [...each, ...either];
    const method: unknown = Reflect.get(redis, 'bookStripe');
    if (typeof method !== 'function') throw new Error('ioredis did not define bookStripe');
    const reply: unknown = await Reflect.apply(method, redis, [
      buckets.length,
      ...buckets.map(({ name }) => stripeRateKey(name)),
      waitMaxMs,
      each.length,
      ...buckets.flatMap(({ intervalMs, slackMs }) => [intervalMs, slackMs]),
    ]);
    if (!Array.isArray(reply)) throw new Error('bookStripe answered something else than a list');
    const [atMs, waitMs, booked] = reply.map(Number);
    if (atMs === undefined || waitMs === undefined) throw new Error('bookStripe answered too little');
    return booked === 1
      ? { kind: 'granted', atMs, waitMs }
      : { kind: 'busy', retryAfterMs: Math.ceil(waitMs) };
  };

  return {
    async book(operation) {
      const buckets = bucketsOf(rates, operation);
      if (buckets.each.length + buckets.either.length === 0) {
        return { kind: 'granted', atMs: performance.now(), waitMs: 0 };
      }
      const alone = () => book(own, { buckets, nowMs: performance.now(), waitMaxMs });
      if (redis.status !== 'ready') return alone();
      try {
        return await bookTogether(buckets);
      } catch {
        return alone();
      }
    },
  };
}
