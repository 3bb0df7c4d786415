-- What a drop has learned of its buyers: the share of calls that end in payment, and the units that one hold takes.
-- Both start at what the settings say and follow what happens, exponentially weighted, so that no crowd of one minute
-- decides for the next. `queue-admit` bounds what it makes of them.
local SHARE_WEIGHT, UNITS_WEIGHT = 0.02, 0.05
local function learnEnds(queueKey, paid, count)
  local share = tonumber(redis.call('HGET', queueKey, 'paidShare'))
  if not share or count < 1 then return end
  local target = paid and 1 or 0
  share = target + (share - target) * (1 - SHARE_WEIGHT) ^ count
  redis.call('HSET', queueKey, 'paidShare', string.format('%.6f', share))
end
-- One more pass serves a hold, of so many units.
local function noteHold(queueKey, units)
  local queue = redis.call('HMGET', queueKey, 'withHold', 'unitsPerHold')
  local withHold = string.format('%.0f', tonumber(queue[1] or '0') + 1)
  local learned = tonumber(queue[2])
  if not learned then
    redis.call('HSET', queueKey, 'withHold', withHold)
    return
  end
  redis.call('HSET', queueKey, 'withHold', withHold,
    'unitsPerHold', string.format('%.6f', learned + (units - learned) * UNITS_WEIGHT))
end
