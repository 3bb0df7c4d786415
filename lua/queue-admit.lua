#!lua flags=allow-oom
-- Proposes the next calls of a lane. Any process may run it at any time: the token bucket goes by Redis' clock, and a
-- proposal stands until `queue-call` puts it into effect, so that running it twice calls nobody twice.
-- KEYS: drop stock queue calls claims passes
-- ARGV: lane batchCount slack burstSec
-- RETURNS: {'proposed', seq, atMs, lane, from, to} | {'idle', reason}
-- INVARIANT: calls outstanding + passes never exceed activeMax; ranks are proposed in order, each once.
-- @include clock
-- @include text
-- @include drop-state
local dropKey, stockKey, queueKey, callsKey, claimsKey, passesKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6]
local lane, batchCount, slack, burstSec = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

local now = nowMs()
local state = dropState(dropKey, now)
if state ~= 'open' then return { 'idle', state or 'missing' } end

-- Calls whose window has ended are given on: what nobody claimed no longer counts as outstanding.
while true do
  local first = redis.call('ZRANGE', callsKey, 0, 0)[1]
  if not first then break end
  local seq, from, to, deadlineMs = string.match(first, '^(%d+):(%d+):(%d+):(%d+)$')
  if tonumber(deadlineMs) > now then break end
  local claimed = tonumber(redis.call('HGET', claimsKey, seq) or '0')
  -- Written as a difference: a negated zero is `-0`, which Redis does not take for a number.
  redis.call('HINCRBY', queueKey, 'unclaimed', claimed - (tonumber(to) - tonumber(from)))
  redis.call('ZREM', callsKey, first)
  redis.call('HDEL', claimsKey, seq)
end

local queue = redis.call('HMGET', queueKey, 'proposal', 'seq', lane .. '/arrived', lane .. '/serving',
  'tokens', 'tokensAtMs', 'unclaimed', 'withHold')
if queue[1] then
  local seq, atMs, of, from, to = string.match(queue[1], '^(%d+):(%d+):([a-z]+):(%d+):(%d+)$')
  return { 'proposed', seq, atMs, of, from, to }
end
local arrived, serving = tonumber(queue[3]), tonumber(queue[4])
local unclaimed, withHold = tonumber(queue[7]), tonumber(queue[8])
local settings = redis.call('HMGET', dropKey, 'ratePerSec', 'activeMax')
local ratePerSec, activeMax = tonumber(settings[1]), tonumber(settings[2])

if arrived <= serving then return { 'idle', 'nobody-waits' } end
local passes = redis.call('HLEN', passesKey)
local room = activeMax - passes - unclaimed
if room < 1 then return { 'idle', 'active-max' } end
local available = tonumber(redis.call('HGET', stockKey, '*/available') or '0')
local served = available > 0 and math.max(1, math.ceil(available * (1 + slack))) or 0
local stockRoom = served - (passes - withHold) - unclaimed
if stockRoom < 1 then return { 'idle', available > 0 and 'enough-called' or 'no-stock' } end
local elapsedMs = math.max(0, math.min(now - tonumber(queue[6]), burstSec * 1000))
local tokens = math.min(math.max(1, ratePerSec * burstSec), tonumber(queue[5]) + elapsedMs * ratePerSec / 1000)
if tokens < 1 then return { 'idle', 'rate' } end

local calls = math.floor(math.min(tokens, arrived - serving, room, stockRoom, batchCount))
local seq, from, to = queue[2], text(serving), text(serving + calls)
redis.call('HSET', queueKey, 'tokens', tostring(tokens - calls), 'tokensAtMs', text(now),
  'proposal', table.concat({ seq, text(now), lane, from, to }, ':'))
return { 'proposed', seq, text(now), lane, from, to }
