-- Holes: arrivals `from … to − 1` of a lane that were reserved when Redis lost data. Nobody knows who of them had a ticket,
-- until its owner shows it and is among the returned; calls pass over the others. Needs: lanes.
local function holesOf(queueKey, lane)
  return string.gmatch(redis.call('HGET', queueKey, LANES[lane] .. '/holes') or '', '(%d+):(%d+)')
end
-- How many of these ranks nobody has. Arrivals in a hole came after the lobby, so that rank is arrival.
local function absentCount(keys, lane, from, to)
  local absent = 0
  for first, last in holesOf(keys.queue, lane) do
    local low, high = math.max(from, tonumber(first)), math.min(to, tonumber(last))
    if low < high then
      absent = absent + high - low - redis.call('ZCOUNT', keys.returned, callScore(lane, low), '(' .. callScore(lane, high))
    end
  end
  return absent
end
local function isInHole(queueKey, lane, arrival)
  for first, last in holesOf(queueKey, lane) do
    if arrival >= tonumber(first) and arrival < tonumber(last) then return true end
  end
  return false
end
-- The end of so many ranks that somebody has, counted from `from` on.
local function endOfRanks(keys, lane, from, count)
  local at = from
  for first, last in holesOf(keys.queue, lane) do
    first, last = tonumber(first), tonumber(last)
    if last > at and count > 0 then
      local before = math.min(count, math.max(0, first - at))
      at, count = at + before, count - before
      if count > 0 then
        local range = { callScore(lane, math.max(at, first)), '(' .. callScore(lane, last) }
        local found = redis.call('ZRANGEBYSCORE', keys.returned, range[1], range[2], 'LIMIT', 0, count)
        count = count - #found
        at = count > 0 and last or tonumber(string.match(found[#found], ':(%d+)$')) + 1
      end
    end
  end
  return at + count
end
