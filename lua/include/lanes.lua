-- The lanes of a queue by their numbers, as tickets keep them, and the calls in effect. A call is one member
-- `seq:from:to:deadlineMs` of a sorted set, scored by its lane and its end, so that a rank finds its call in one step.
local LANES = { [0] = 'general', 'priority', 'late' }
local GENERAL, PRIORITY, LATE, LAST_LANE = 0, 1, 2, 2
local LANE_SPAN = 2 ^ 40
local function callScore(lane, rank) return string.format('%.0f', lane * LANE_SPAN + rank) end
-- The seq of the call that the rank is in, if it can still be claimed.
local function liveCall(callsKey, lane, rank, now)
  local range = { '(' .. callScore(lane, rank), '(' .. callScore(lane + 1, 0) }
  local call = redis.call('ZRANGEBYSCORE', callsKey, range[1], range[2], 'LIMIT', 0, 1)[1]
  if not call then return nil end
  local seq, from, deadlineMs = string.match(call, '^(%d+):(%d+):%d+:(%d+)$')
  if tonumber(from) > rank or tonumber(deadlineMs) <= now then return nil end
  return seq
end
-- False where the lane's next arrival would pass the mark that stands in MongoDB; a drop without marks has no bound.
local function mayArrive(queueKey, lane)
  local counts = redis.call('HMGET', queueKey, LANES[lane] .. '/arrived', LANES[lane] .. '/mark')
  return not counts[2] or tonumber(counts[1]) < tonumber(counts[2])
end
