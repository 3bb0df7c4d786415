#!lua flags=allow-oom
-- Proposes the next calls, of one lane. Any process may run it at any time: the token bucket goes by Redis' clock, and a
-- proposal stands until `queue-call` puts it into effect, so that running it twice calls nobody twice.
-- KEYS: drop stock queue calls claims passes returned
-- ARGV: batchCount burstSec slackMax weights
-- RETURNS: {'proposed', seq, atMs, lane, from, to} | {'idle', reason} | {'epoch'}
-- INVARIANT: calls outstanding + passes never exceed activeMax; ranks of a lane are proposed in order, each once; while
--            several lanes wait, each is called in proportion to its weight.
-- @include clock
-- @include text
-- @include drop-state
-- @include lanes
-- @include holes
-- @include learned
-- @include server
-- @include epoch
local dropKey, stockKey, queueKey, callsKey, claimsKey, passesKey, returnedKey =
  KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7]
local batchCount, burstSec, slackMax, weights = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local lost = lostEpoch(dropKey)
if lost == 'epoch' then return { lost } end
if lost then return { 'idle', lost } end
local now = nowMs()
local state = dropState(dropKey, now)
if state ~= 'open' then return { 'idle', state } end

-- Calls whose window has ended are given on: what nobody claimed no longer counts as outstanding.
local lapsing = batchCount
for lane = 0, LAST_LANE do
  while lapsing > 0 do
    local range = { callScore(lane, 0), '(' .. callScore(lane + 1, 0) }
    local first = redis.call('ZRANGEBYSCORE', callsKey, range[1], range[2], 'LIMIT', 0, 1)[1]
    if not first then break end
    local seq, from, to, deadlineMs = string.match(first, '^(%d+):(%d+):(%d+):(%d+)$')
    if tonumber(deadlineMs) > now then break end
    local unclaimed = tonumber(to) - tonumber(from) - tonumber(redis.call('HGET', claimsKey, seq) or '0')
    -- Written as text of a difference: a negated zero is `-0`, which Redis does not take for a number.
    redis.call('HINCRBY', queueKey, 'unclaimed', text(0 - unclaimed))
    redis.call('ZREM', callsKey, first)
    redis.call('HDEL', claimsKey, seq)
    learnEnds(queueKey, false, unclaimed)
    lapsing = lapsing - 1
  end
end

local queue = redis.call('HMGET', queueKey, 'proposal', 'seq', 'tokens', 'tokensAtMs', 'unclaimed', 'withHold',
  'paidShare', 'unitsPerHold', 'turn')
if queue[1] then
  local seq, atMs, of, from, to = string.match(queue[1], '^(%d+):(%d+):([a-z]+):(%d+):(%d+)$')
  return { 'proposed', seq, atMs, of, from, to }
end
local unclaimed, withHold = tonumber(queue[5]), tonumber(queue[6])
local paidShare, unitsPerHold, turn = tonumber(queue[7]), tonumber(queue[8]), tonumber(queue[9])
local settings = redis.call('HMGET', dropKey, 'ratePerSec', 'activeMax', 'paymentsPerSec', 'perBuyerMax')
local ratePerSec, activeMax, paymentsPerSec = tonumber(settings[1]), tonumber(settings[2]), tonumber(settings[3])

-- Lanes take turns: each call moves its lane's next turn on by a step that is the smaller the heavier the lane is. Who
-- waits again after a while begins at the present turn, so that idleness saves up nothing.
local lanes, waiting = {}, 0
for lane = 0, LAST_LANE do
  local counts = redis.call('HMGET', queueKey, LANES[lane] .. '/arrived', LANES[lane] .. '/serving', LANES[lane] .. '/turn')
  local weight = tonumber(string.match(weights, LANES[lane] .. '=(%d+)'))
  local left = tonumber(counts[1]) - tonumber(counts[2])
  -- 2,520 can be divided by every weight up to ten: turns stay whole numbers.
  lanes[lane] = { left = left, waiting = left, serving = tonumber(counts[2]), calls = 0, step = 2520 / weight,
    turn = math.max(turn, tonumber(counts[3])) }
  waiting = waiting + left
end
local function nextLane()
  local found
  for lane = 0, LAST_LANE do
    if lanes[lane].left > 0 and (not found or lanes[lane].turn < lanes[found].turn) then found = lane end
  end
  return found
end

if waiting < 1 then return { 'idle', 'nobody-waits' } end
local passes = redis.call('HLEN', passesKey)
local room = activeMax - passes - unclaimed
if room < 1 then return { 'idle', 'active-max' } end
-- What the stock can serve: as many buyers as it has units for, and more by the share of those who do not pay.
local available = tonumber(redis.call('HGET', stockKey, '*/available') or '0')
if available < 1 then return { 'idle', 'no-stock' } end
local callsPerPayment = math.min(1 / math.max(paidShare, 0.001), 1 + slackMax)
local units = math.max(1, math.min(unitsPerHold, tonumber(settings[4])))
local served = math.max(1, math.ceil(available / units * callsPerPayment - 0.000001))
local stockRoom = served - (passes - withHold) - unclaimed
if stockRoom < 1 then return { 'idle', 'enough-called' } end
-- The payment budget bounds the orders that enter payment each second: of so many calls, only a share comes to pay.
local fastest = ratePerSec
if paymentsPerSec then fastest = math.min(ratePerSec, paymentsPerSec * callsPerPayment) end
local tokensAtMs = tonumber(queue[4])
-- A clock that was set back must not stop the calling until it has caught up with itself.
if tokensAtMs > now + burstSec * 1000 then
  tokensAtMs = now
  redis.call('HSET', queueKey, 'tokensAtMs', text(now))
end
local elapsedMs = math.max(0, math.min(now - tokensAtMs, burstSec * 1000))
local tokens = math.min(math.max(1, fastest * burstSec), tonumber(queue[3]) + elapsedMs * fastest / 1000)
if fastest <= 0 or tokens < 1 then return { 'idle', fastest < ratePerSec and 'payment-budget' or 'rate' } end

local calls = math.floor(math.min(tokens, waiting, room, stockRoom, batchCount))
local chosen = nextLane()
-- All calls are shared out, and those of the lane whose turn is first are proposed; the others' come right after.
local turns = {}
for lane = 0, LAST_LANE do turns[lane] = lanes[lane].turn end
for _ = 1, calls do
  local lane = lanes[nextLane()]
  lane.left, lane.calls, lane.turn = lane.left - 1, lane.calls + 1, lane.turn + lane.step
end
for lane = 0, LAST_LANE do
  if lane ~= chosen then lanes[lane].left, lanes[lane].turn = lanes[lane].left + lanes[lane].calls, turns[lane] end
end
local mine, upNext = lanes[chosen], nextLane()
-- Ranks that nobody has are called with the others, and take nobody's turn.
local last = math.min(
  endOfRanks({ queue = queueKey, returned = returnedKey }, chosen, mine.serving, mine.calls),
  mine.serving + mine.waiting)
local seq, from, to = queue[2], text(mine.serving), text(last)
redis.call('HSET', queueKey, 'tokens', tostring(tokens - mine.calls), 'tokensAtMs', text(math.max(now, tokensAtMs)),
  'turn', text(upNext and lanes[upNext].turn or mine.turn), LANES[chosen] .. '/turn', text(mine.turn),
  'proposal', table.concat({ seq, text(now), LANES[chosen], from, to }, ':'))
return { 'proposed', seq, text(now), LANES[chosen], from, to }
